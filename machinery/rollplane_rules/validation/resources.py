"""Requests and limits of containers, and amounts of resources anywhere."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core import v1 as core
from rollplane.meta.v1 import Quantity
from rollplane_machinery import names, quantity
from rollplane_machinery.errors import BadRequestError, Cause
from rollplane_rules.validation.causes import forbidden, invalid, problems, required

_CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
_HUGE_PAGES = "hugepages-"


def check_container_resources(resources: core.ResourceRequirements) -> list[Cause]:
    """Return what is wrong with requests and limits; both sides of a comparison stand under ``requests``."""
    found: list[Cause] = []
    limits = _container_amounts("limits", resources.limits, found)
    requests = _container_amounts("requests", resources.requests, found)
    for name, amount in requests.items():
        limit = limits.get(name)
        if limit is None:
            if not _may_overcommit(name):
                found.append(required("limits", f"set {name} too: it cannot be overcommitted"))
        elif amount > limit:
            found.append(invalid("requests", resources.requests[name].string, f"ask for the {name} limit or less"))
        elif amount < limit and not _may_overcommit(name):
            fix = f"ask for exactly the {name} limit: it cannot be overcommitted"
            found.append(invalid("requests", resources.requests[name].string, fix))
    return found + _check_huge_pages(limits, requests)


def _container_amounts(field: str, amounts: Mapping[str, Quantity], found: list[Cause]) -> dict[str, int]:
    """Return the amounts in nano units, adding to ``found`` what is wrong with names and values."""
    parsed: dict[str, int] = {}
    for name in amounts:  # items() of a protobuf map is slower
        text = amounts[name].string
        value = _nanos(field, name, text, found)
        if value is not None:
            parsed[name] = value
        if name not in _CONTAINER_RESOURCES:
            found += _check_container_resource(f"{field}[{name}]", name)
            if value and "/" in name and value % quantity.NANO:
                found.append(invalid(f"{field}[{name}]", text, "give a whole number"))
    return parsed


def _nanos(field: str, key: str, text: str, found: list[Cause]) -> int | None:
    """Return the amount in nano units, None when it is no quantity; adds to ``found`` what is wrong with it."""
    try:
        value = quantity.nanos(text)
    except BadRequestError as error:
        found.append(invalid(f"{field}[{key}]", text, str(error)))
        return None
    if value < 0:
        found.append(invalid(f"{field}[{key}]", text, "set it to 0 or more"))
    return value


def _check_container_resource(field: str, name: str) -> list[Cause]:
    """Return what is wrong with the name of a resource that is none of the three every container has."""
    if name.startswith(_HUGE_PAGES):
        return []
    if "/" not in name:
        return [invalid(field, name, "choose cpu, memory, ephemeral-storage, hugepages-… or a name with a domain")]
    if sentences := names.check_qualified_name(name):
        return problems(field, name, sentences)
    if "kubernetes.io/" not in name and name.startswith("requests."):
        return [invalid(field, name, "a resource of your own does not start with 'requests.'")]
    return []


def _check_huge_pages(limits: Mapping[str, int], requests: Mapping[str, int]) -> list[Cause]:
    if limits.keys() | requests.keys() <= _CONTAINER_RESOURCES:
        return []
    named = limits.keys() | requests.keys()
    if named & {"cpu", "memory"} or not any(name.startswith(_HUGE_PAGES) for name in named):
        return []
    return [forbidden("", "huge pages need cpu or memory beside them")]


def _may_overcommit(name: str) -> bool:
    """Only Kubernetes' own resources can be promised twice, huge pages excepted."""
    return ("/" not in name or "kubernetes.io/" in name) and not name.startswith(_HUGE_PAGES)


def check_amounts(field: str, amounts: Mapping[str, Quantity]) -> list[Cause]:
    """Return what is wrong with a list of resources of a node, claim or the like: names and values only."""
    found: list[Cause] = []
    for name in amounts:
        found += problems(f"{field}[{name}]", name, names.check_qualified_name(name))
        _nanos(field, name, amounts[name].string, found)
    return found


def check_positive(field: str, key: str, amount: Quantity) -> list[Cause]:
    """Return what is wrong with an amount, found at ``field[key]``, that must be more than zero."""
    found: list[Cause] = []
    if _nanos(field, key, amount.string, found) == 0:
        found.append(invalid(f"{field}[{key}]", amount.string, "set it to more than 0"))
    return found
