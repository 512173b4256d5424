"""LimitRanges and ResourceQuotas: what would be misread must not be stored.

Source: kubernetes/kubernetes pkg/apis/core/validation, ValidateLimitRange and ValidateResourceQuota.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery import names, quantity
from rollplane_machinery.errors import BadRequestError, Cause
from rollplane_rules.admission.limit_range import AMOUNTS, CLAIM, CONTAINER, POD, Limit, read_limits
from rollplane_rules.admission.quota import PRIORITY_CLASS, SCOPES, read_quota
from rollplane_rules.admission.reading import Object, list_in, object_in, spec_of
from rollplane_rules.validation.causes import duplicate, forbidden, immutable, invalid, not_supported, required, under

_TYPES = frozenset({CONTAINER, POD, CLAIM})
_OPERATORS = frozenset({"Exists", "DoesNotExist", "In", "NotIn"})
_OPPOSED = (frozenset({"BestEffort", "NotBestEffort"}), frozenset({"Terminating", "NotTerminating"}))
_QUOTA_NAMES = frozenset(
    {
        "configmaps",
        "cpu",
        "ephemeral-storage",
        "memory",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
        *(f"{of}.{name}" for of in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")),
        "requests.storage",
    }
)
_WHOLE = frozenset({name for name in _QUOTA_NAMES if not name.endswith(("cpu", "memory", "storage"))})

_ORDER = (
    ("min", "min", "max", "max", "min", True),
    ("min", "min", "defaultRequest", "default request", "defaultRequest", False),
    ("defaultRequest", "default request", "max", "max", "defaultRequest", True),
    ("defaultRequest", "default request", "default", "default limit", "defaultRequest", True),
    ("min", "min", "default", "default", "default", True),
    ("default", "default", "max", "max", "default", False),
)
"""What must not be above what, the words for both, the field that is told and whether its value is the lower one."""


def check_limit_range(stored: StoredObject) -> list[Cause]:
    """Return what is wrong with a LimitRange, metadata aside."""
    rows = list(map(object_in, list_in(spec_of(stored).get("limits"))))
    found: list[Cause] = []
    for at, row in enumerate(rows):
        found += under(f"spec.limits[{at}]", _check_row(row))
        if row.get("type") in [other.get("type") for other in rows[:at]]:
            found.append(duplicate(f"spec.limits[{at}].type", row.get("type")))
    if found:
        return found
    for at, limit in enumerate(read_limits(stored)):
        found += under(f"spec.limits[{at}]", list(_check_order(limit)))
    return found


def _check_row(row: Object) -> list[Cause]:
    kind, found = row.get("type"), []
    if not kind:
        found.append(required("type", f"choose one of {', '.join(sorted(_TYPES))}"))
    elif not isinstance(kind, str) or (kind not in _TYPES and "/" not in kind):
        found.append(not_supported("type", kind, _TYPES))
    for field in AMOUNTS:
        found += _check_amounts(field, row.get(field), _check_any_name)
    for field in ("default", "defaultRequest") if kind != CONTAINER else ():
        if row.get(field):
            found.append(forbidden(field, f"leave it out of a limit for {kind}"))
    if kind == CLAIM and "storage" not in {**object_in(row.get("min")), **object_in(row.get("max"))}:
        found.append(required("min", "give the least or the most storage"))
    return found


def _check_order(limit: Limit) -> Iterable[Cause]:
    """Each amount must not be above the next: min, defaultRequest, default, max; in Kubernetes' words."""
    amounts = {
        "min": limit.min,
        "defaultRequest": limit.default_request,
        "default": limit.default,
        "max": limit.max,
    }
    for low, low_word, high, high_word, field, is_low in _ORDER:
        for name in sorted(amounts[low].keys() & amounts[high].keys()):
            least, most = amounts[low][name], amounts[high][name]
            if quantity.compare(least, most) > 0:
                sentence = f"{low_word} value {least} is greater than {high_word} value {most}"
                yield invalid(f"{field}[{name}]", least if is_low else most, sentence)


def check_quota(stored: StoredObject) -> list[Cause]:
    """Return what is wrong with a ResourceQuota, metadata aside."""
    spec = spec_of(stored)
    found = _check_amounts("hard", spec.get("hard"), _check_quota_name) + _check_scopes(spec)
    for name, amount in sorted(read_quota(stored).hard.items()):
        if (name in _WHOLE or name.startswith("count/")) and quantity.nanos(amount) % quantity.NANO:
            found.append(invalid(f"hard[{name}]", amount, "give a whole number"))
    return under("spec", found)


def check_quota_update(new: StoredObject, old: StoredObject) -> list[Cause]:
    """Return what an update may not change: what a quota is about."""
    now, was = spec_of(new), spec_of(old)
    fields = ("scopes", "scopeSelector")
    return under("spec", [one for name in fields for one in immutable(name, None, now.get(name) == was.get(name))])


def _check_scopes(spec: Object) -> list[Cause]:
    scopes = [*map(str, list_in(spec.get("scopes")))]
    found = [not_supported("scopes", scope, SCOPES) for scope in scopes if scope not in SCOPES]
    found += [
        invalid("scopes", None, f"keep one of {' and '.join(sorted(two))}") for two in _OPPOSED if two <= {*scopes}
    ]
    expressions = list_in(object_in(spec.get("scopeSelector")).get("matchExpressions"))
    for at, one in enumerate(map(object_in, expressions)):
        found += under(f"scopeSelector.matchExpressions[{at}]", _check_expression(one))
    return found


def _check_expression(one: Object) -> list[Cause]:
    scope, operator, values = str(one.get("scopeName")), str(one.get("operator")), list_in(one.get("values"))
    found = [] if scope in SCOPES else [not_supported("scopeName", scope, SCOPES)]
    if operator not in _OPERATORS:
        found.append(not_supported("operator", operator, _OPERATORS))
    elif scope in SCOPES and scope != PRIORITY_CLASS and operator != "Exists":
        found.append(invalid("operator", operator, f"with {scope} it must be Exists"))
    if operator in ("In", "NotIn") and not values:
        found.append(required("values", f"give at least one with {operator}"))
    if operator in ("Exists", "DoesNotExist") and values:
        found.append(invalid("values", None, f"leave them out with {operator}"))
    return found


def _check_amounts(field: str, value: Any, check_name: Callable[[str], str]) -> list[Cause]:
    if value is not None and not isinstance(value, dict):
        return [invalid(field, None, "give an object of names and amounts")]
    found: list[Cause] = []
    for name, amount in sorted(object_in(value).items()):
        if why := check_name(name):
            found.append(invalid(f"{field}[{name}]", name, why))
        found += _check_amount(f"{field}[{name}]", amount)
    return found


def _check_amount(field: str, amount: Any) -> list[Cause]:
    is_amount = isinstance(amount, str | int | float) and not isinstance(amount, bool)
    try:
        nanos = quantity.nanos(str(amount)) if is_amount else None
    except BadRequestError:
        nanos = None
    if nanos is None:
        return [invalid(field, str(amount), "give a quantity such as 500m or 2Gi")]
    return [invalid(field, str(amount), "set it to 0 or more")] if nanos < 0 else []


def _check_any_name(name: str) -> str:
    return "; ".join(names.check_qualified_name(name))


def _check_quota_name(name: str) -> str:
    if "/" in name or name in _QUOTA_NAMES or name.startswith(("hugepages-", "requests.hugepages-")):
        return _check_any_name(name)
    return "choose a standard resource for quota, count/… or a name with a domain"
