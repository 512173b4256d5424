"""What an object takes of a quota: by its kind, and what it asks for.

Source: kubernetes/kubernetes pkg/quota/v1/evaluator/core (pods.go, services.go, persistent_volume_claims.go,
registry.go) and kubernetes/apiserver pkg/quota/v1/generic/evaluator.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane.core.v1 import Container, PersistentVolumeClaim, Pod, Service
from rollplane_machinery import kinds, quantity
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.times import to_seconds
from rollplane_rules.admission.amounts import NOTHING, ONE, Amounts, added, amounts_of
from rollplane_rules.admission.pod_resources import limits_of, overhead_of, requests_of, with_overhead
from rollplane_rules.admission.quota import Quota

_REQUESTS, _LIMITS = "requests.", "limits."
_HUGE_PAGES = "hugepages-"
_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_OF_PODS = frozenset(
    {"count/pods", "pods", *_COMPUTE, *(f"{prefix}{name}" for prefix in (_REQUESTS, _LIMITS) for name in _COMPUTE)}
)
_TO_BE_NAMED = frozenset(
    {"cpu", "memory", *(f"{prefix}{name}" for prefix in (_REQUESTS, _LIMITS) for name in ("cpu", "memory"))}
)
"""What every container has to name where a quota limits it."""
_OF_SERVICES = frozenset({"count/services", "services", "services.nodeports", "services.loadbalancers"})
_OF_CLAIMS = frozenset({"count/persistentvolumeclaims", "persistentvolumeclaims", "requests.storage"})
_BY_CLASS = ".storageclass.storage.k8s.io/"
_ALIASES: Mapping[str, str] = MappingProxyType(
    {name: name for name in ("configmaps", "replicationcontrollers", "resourcequotas", "secrets")}
)
_UNCOUNTED = frozenset({kinds.EVENT})
_ENDED = frozenset({"Succeeded", "Failed"})


def counted_of(quota: Quota, kind: Kind) -> frozenset[str]:
    """Return which of the resources that ``quota`` limits objects of ``kind`` take."""
    if not kind.namespaced or kind in _UNCOUNTED:
        return frozenset()
    if quota.scopes and kind is not kinds.POD:
        return frozenset()
    return frozenset(name for name in quota.hard if _is_counted(kind, name))


def _is_counted(kind: Kind, name: str) -> bool:
    if kind is kinds.POD:
        return name in _OF_PODS or name.startswith((_HUGE_PAGES, _REQUESTS + _HUGE_PAGES)) or _is_extended(name)
    if kind is kinds.SERVICE:
        return name in _OF_SERVICES
    if kind is kinds.PERSISTENT_VOLUME_CLAIM:
        return name in _OF_CLAIMS or name.endswith(
            (_BY_CLASS + "persistentvolumeclaims", _BY_CLASS + "requests.storage")
        )
    return name in (f"count/{kind.resource}", _ALIASES.get(kind.resource))


def _is_extended(name: str) -> bool:
    """Tell whether a quota's ``requests.`` is of a resource with a domain of its own."""
    return name.startswith(_REQUESTS) and "/" in name and "kubernetes.io/" not in name


def is_in_scope(quota: Quota, obj: ApiObject) -> bool:
    """Tell whether all scopes of ``quota`` match; only pods are in any."""
    return all(isinstance(obj, Pod) and scope.matches(obj) for scope in quota.scopes)


def usage_of(kind: Kind, obj: ApiObject, now: float) -> Amounts:
    """Return all that ``obj`` takes at ``now``, in seconds since the epoch, whatever is limited."""
    if isinstance(obj, Pod):
        return _of_pod(obj, now)
    if isinstance(obj, Service):
        return _of_service(obj)
    if isinstance(obj, PersistentVolumeClaim):
        return _of_claim(obj)
    alias = _ALIASES.get(kind.resource)
    counted = {f"count/{kind.resource}": ONE}
    return {**counted, alias: ONE} if alias else counted


def gives_up_at(obj: ApiObject) -> float | None:
    """Return from when on a pod that is being deleted is not counted any more, though it is still there."""
    if not isinstance(obj, Pod) or not is_being_deleted(obj.metadata):
        return None
    if obj.status.phase in _ENDED or not obj.metadata.HasField("deletion_grace_period_seconds"):
        return None
    # The mark already lies its grace period ahead; Kubernetes waits for as long again.
    return to_seconds(obj.metadata.deletion_timestamp) + obj.metadata.deletion_grace_period_seconds


def _of_pod(pod: Pod, now: float) -> Amounts:
    counted = {"count/pods": ONE}
    end = gives_up_at(pod)
    if pod.status.phase in _ENDED or (end is not None and now > end):
        return counted
    overhead = overhead_of(pod.spec)
    requests, limits = added(requests_of(pod.spec), overhead), with_overhead(limits_of(pod.spec), overhead)
    return {**counted, **_of_compute(requests, limits)}


def _of_compute(requests: Amounts, limits: Amounts) -> dict[str, str]:
    taken = {"pods": ONE}
    for name in _COMPUTE:
        if name in requests:
            taken[name] = taken[_REQUESTS + name] = requests[name]
        if name in limits:
            taken[_LIMITS + name] = limits[name]
    for name, amount in requests.items():
        if name.startswith(_HUGE_PAGES):
            taken[name] = taken[_REQUESTS + name] = amount
        elif "/" in name and "kubernetes.io/" not in name:
            taken[_REQUESTS + name] = amount
    return taken


def _of_service(service: Service) -> Amounts:
    spec, balanced = service.spec, service.spec.type == "LoadBalancer"
    ports = 0
    if spec.type in ("NodePort", "LoadBalancer"):
        chosen = (
            balanced
            and spec.HasField("allocate_load_balancer_node_ports")
            and not spec.allocate_load_balancer_node_ports
        )
        ports = sum(1 for port in spec.ports if port.node_port or not chosen)
    return {
        "count/services": ONE,
        "services": ONE,
        "services.nodeports": str(ports),
        "services.loadbalancers": ONE if balanced else "0",
    }


def _of_claim(claim: PersistentVolumeClaim) -> Amounts:
    taken = {"count/persistentvolumeclaims": ONE, "persistentvolumeclaims": ONE}
    if storage := _storage(claim):
        taken["requests.storage"] = storage
    name = claim.metadata.annotations.get("volume.beta.kubernetes.io/storage-class") or claim.spec.storage_class_name
    if name:
        of_class = {f"{name}{_BY_CLASS}{resource}": taken[resource] for resource in _OF_CLAIMS if resource in taken}
        of_class.pop(f"{name}{_BY_CLASS}count/persistentvolumeclaims")
        taken |= of_class
    return taken


def _storage(claim: PersistentVolumeClaim) -> str:
    """Return the storage a claim asks for, or was given where that is more; in whole bytes."""
    requested = amounts_of(claim.spec.resources.requests).get("storage", "")
    allocated = amounts_of(claim.status.allocated_resources).get("storage", "")
    if requested and allocated:
        requested = quantity.larger(requested, allocated)
    return quantity.round_up(requested) if requested else ""


def missing_of(quota: Quota, pod: Pod) -> str:
    """Return what containers do not name though ``quota`` limits it: ``limits.cpu for: a,b; memory for: b``."""
    wanted = sorted(_TO_BE_NAMED.intersection(quota.hard))
    missing: dict[str, set[str]] = {}
    for container in [*pod.spec.containers, *pod.spec.init_containers] if wanted else []:
        named = _named(container)
        for name in wanted:
            if name not in named:
                missing.setdefault(name, set()).add(container.name)
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))


def _named(container: Container) -> Amounts:
    resources = container.resources
    return _of_compute(amounts_of(resources.requests) or NOTHING, amounts_of(resources.limits) or NOTHING)
