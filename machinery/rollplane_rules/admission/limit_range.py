"""LimitRanges: what containers get that say nothing, and how small or large pods, containers and claims may be.

Source: kubernetes/kubernetes plugin/pkg/admission/limitranger/admission.go, and pkg/apis/core/v1/defaults.go for what a
LimitRange itself defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from rollplane.core.v1 import Container, PersistentVolumeClaim, Pod, PodSpec
from rollplane.meta.v1 import Quantity
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import quantity
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.admission.amounts import NOTHING, Amounts, amounts_of, read_amounts
from rollplane_rules.admission.pod_resources import limits_of, requests_of
from rollplane_rules.admission.reading import Object, json_text, list_in, object_in, spec_of

CONTAINER, POD, CLAIM = "Container", "Pod", "PersistentVolumeClaim"
ANNOTATION = "kubernetes.io/limit-ranger"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of a LimitRange; ``type`` is what it is about."""

    type: str
    min: Amounts
    max: Amounts
    default: Amounts
    default_request: Amounts
    max_ratio: Amounts


AMOUNTS = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
"""The members of a row that hold amounts, in the order of ``Limit``."""


def read_limits(stored: StoredObject) -> tuple[Limit, ...]:
    """Return the rows of a LimitRange; what is not understood is left out."""
    rows = map(object_in, list_in(spec_of(stored).get("limits")))
    return tuple(_read_limit(row) for row in rows if isinstance(row.get("type"), str))


def _read_limit(row: Object) -> Limit:
    read = {name: read_amounts(row.get(name)) for name in AMOUNTS}
    limit = Limit(row["type"], *read.values())
    return _defaulted(limit) if limit.type == CONTAINER else limit


def _defaulted(limit: Limit) -> Limit:
    """A container that says nothing may have the most there is, and asks for what it may have."""
    default = {**limit.max, **limit.default}
    return replace(limit, default=default, default_request={**limit.min, **default, **limit.default_request})


def default_limit_range(stored: StoredObject) -> None:
    """Write into a LimitRange, in place, what its rows mean that they do not say."""
    spec = spec_of(stored)
    rows = list_in(spec.get("limits"))
    if not any(object_in(row).get("type") == CONTAINER for row in rows):
        return
    whole = {**spec, "limits": [_with_defaults(object_in(row)) for row in rows]}
    stored.spec.json = json_text(whole)


def _with_defaults(row: Object) -> Object:
    if row.get("type") != CONTAINER:
        return row
    limit = _read_limit(row)
    filled = {"default": limit.default, "defaultRequest": limit.default_request}
    return {**row, **{name: {**amounts, **object_in(row.get(name))} for name, amounts in filled.items() if amounts}}


# What is filled in


def default_pod(limits: Iterable[Limit], pod: Pod) -> None:
    """Give each container of a new ``pod`` what one LimitRange's rows have for it and it does not say, in place."""
    requests: dict[str, str] = {}
    most: dict[str, str] = {}
    for limit in limits:
        if limit.type == CONTAINER:
            requests |= limit.default_request
            most |= limit.default
    said = [words for kind, one in _containers(pod.spec) for words in _fill_in(kind, one, requests, most)]
    if said:
        pod.metadata.annotations[ANNOTATION] = f"LimitRanger plugin set: {'; '.join(said)}"


def _containers(spec: PodSpec) -> Iterator[tuple[str, Container]]:
    yield from (("container", one) for one in spec.containers)
    yield from (("init container", one) for one in spec.init_containers)


def _fill_in(kind: str, container: Container, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for word, there, given in (
        ("request", container.resources.requests, requests),
        ("limit", container.resources.limits, limits),
    ):
        missing = [name for name in sorted(given) if name not in there]
        for name in missing:
            there[name].CopyFrom(Quantity(string=given[name]))
        if missing:
            yield f"{', '.join(missing)} {word} for {kind} {container.name}"


# What is refused


def violations(limits: Iterable[Limit], obj: ApiObject, old: ApiObject | None = None) -> str:
    """Return how ``obj`` breaks one LimitRange, "" when it does not.

    Of a claim that takes the place of ``old`` only what changed is judged; a pod is judged when it is new.
    """
    broken: list[str] = []
    if isinstance(obj, Pod):
        for limit in limits:
            broken += _of_pod(limit, obj.spec)
    if isinstance(obj, PersistentVolumeClaim):
        for limit in limits:
            broken += _of_claim(limit, obj, old)
    sentences = list(dict.fromkeys(broken))
    return sentences[0] if len(sentences) == 1 else f"[{', '.join(sentences)}]" if sentences else ""


def _of_pod(limit: Limit, spec: PodSpec) -> Iterator[str]:
    if limit.type == CONTAINER:
        for _, one in _containers(spec):
            yield from _checked(limit, amounts_of(one.resources.requests), amounts_of(one.resources.limits))
    elif limit.type == POD:
        yield from _checked(limit, requests_of(spec), limits_of(spec))


def _of_claim(limit: Limit, claim: PersistentVolumeClaim, old: ApiObject | None) -> Iterator[str]:
    if limit.type != CLAIM:
        return
    requests = amounts_of(claim.spec.resources.requests)
    before = amounts_of(old.spec.resources.requests) if isinstance(old, PersistentVolumeClaim) else NOTHING
    for name in sorted({*limit.min, *limit.max}):
        if name in requests and name in before and quantity.compare(requests[name], before[name]) == 0:
            continue
        if name in limit.min:
            yield from _too_little(limit.type, name, limit.min[name], requests, NOTHING)
        if name in limit.max:
            yield from _too_much_asked(limit.type, name, limit.max[name], requests)


def _checked(limit: Limit, requests: Amounts, limits: Amounts) -> Iterator[str]:
    for name in sorted(limit.min):
        yield from _too_little(limit.type, name, limit.min[name], requests, limits)
    for name in sorted(limit.max):
        yield from _too_much(limit.type, name, limit.max[name], requests, limits)
    for name in sorted(limit.max_ratio):
        yield from _too_far_apart(limit.type, name, limit.max_ratio[name], requests, limits)


def _too_little(of: str, name: str, least: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    about = f"minimum {name} usage per {of} is {least}"
    if name not in requests:
        yield f"{about}.  No request is specified"
    elif quantity.compare(requests[name], least) < 0:
        yield f"{about}, but request is {requests[name]}"
    elif name in limits and quantity.compare(limits[name], least) < 0:
        yield f"{about}, but limit is {limits[name]}"


def _too_much(of: str, name: str, most: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    about = f"maximum {name} usage per {of} is {most}"
    if name not in limits:
        yield f"{about}.  No limit is specified"
    elif quantity.compare(limits[name], most) > 0:
        yield f"{about}, but limit is {limits[name]}"
    elif name in requests and quantity.compare(requests[name], most) > 0:
        yield f"{about}, but request is {requests[name]}"


def _too_much_asked(of: str, name: str, most: str, requests: Amounts) -> Iterator[str]:
    about = f"maximum {name} usage per {of} is {most}"
    if name not in requests:
        yield f"{about}.  No request is specified"
    elif quantity.compare(requests[name], most) > 0:
        yield f"{about}, but request is {requests[name]}"


def _too_far_apart(of: str, name: str, ratio: str, requests: Amounts, limits: Amounts) -> Iterator[str]:
    about = f"{name} max limit to request ratio per {of} is {ratio}, but"
    request, limit = quantity.nanos(requests.get(name, "0")), quantity.nanos(limits.get(name, "0"))
    if not request:
        yield f"{about} no request is specified or request is 0"
    elif not limit:
        yield f"{about} no limit is specified or limit is 0"
    elif Fraction(limit, request) > quantity.parse(ratio):
        yield f"{about} provided ratio is {limit / request:.6f}"
