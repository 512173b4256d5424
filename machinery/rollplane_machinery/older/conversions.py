"""What older versions of kinds that are kept as JSON say otherwise, both ways. Functions return new documents.

A document is the object's JSON as far as it is kept as such: spec, status and other members, and under ``annotations``
those of its metadata. Source: kubernetes/kubernetes pkg/apis/*/v*/conversion.go and defaults.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Document = dict[str, Any]
Conversion = Callable[[Document], Document]

_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
_BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
_CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
_CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
_ZONE = "topology.kubernetes.io/zone"


def same(document: Document) -> Document:
    """Of versions that have the same fields."""
    return document


# HorizontalPodAutoscaler: autoscaling/v1 knows one metric and keeps the others in annotations


def autoscaler_to_v1(document: Document) -> Document:
    """From autoscaling/v2."""
    spec, status, kept = _part(document, "spec"), _part(document, "status"), dict(_part(document, "annotations"))
    metrics, current = _list(spec.pop("metrics", None)), _list(status.pop("currentMetrics", None))
    found = next((metric for metric in metrics if _utilization(metric) is not None), None)
    if found is not None:
        spec["targetCPUUtilizationPercentage"] = _utilization(found)
    used = next((each for each in current if _utilization(each, "current") is not None), None)
    if used is not None:
        status["currentCPUUtilizationPercentage"] = _utilization(used, "current")
    _keep(kept, _METRICS, [metric for metric in metrics if metric is not found])
    _keep(kept, _CURRENT, [each for each in current if each is not used])
    _keep(kept, _BEHAVIOR, spec.pop("behavior", None))
    _keep(kept, _CONDITIONS, status.pop("conditions", None))
    return {**document, "spec": spec, "status": status, "annotations": kept}


def autoscaler_from_v1(document: Document) -> Document:
    """To autoscaling/v2."""
    spec, status, kept = _part(document, "spec"), _part(document, "status"), dict(_part(document, "annotations"))
    metrics, current = _list(_taken(kept, _METRICS)), _list(_taken(kept, _CURRENT))
    if (target := spec.pop("targetCPUUtilizationPercentage", None)) is not None:
        metrics.insert(0, _cpu("target", {"type": "Utilization", "averageUtilization": target}))
    if (used := status.pop("currentCPUUtilizationPercentage", None)) is not None:
        current.insert(0, _cpu("current", {"averageUtilization": used}))
    for part, name, value in (
        (spec, "metrics", metrics),
        (spec, "behavior", _taken(kept, _BEHAVIOR)),
        (status, "currentMetrics", current),
        (status, "conditions", _taken(kept, _CONDITIONS)),
    ):
        if value:
            part[name] = value
    return {**document, "spec": spec, "status": status, "annotations": kept}


def _cpu(name: str, value: Document) -> Document:
    return {"type": "Resource", "resource": {"name": "cpu", name: value}}


def _utilization(metric: Any, of: str = "target") -> Any:
    resource = _part(metric, "resource") if isinstance(metric, dict) else {}
    return _part(resource, of).get("averageUtilization") if resource.get("name") == "cpu" else None


def _keep(annotations: Document, name: str, value: Any) -> None:
    if value:
        annotations[name] = json.dumps(value, separators=(",", ":"), sort_keys=True)


def _taken(annotations: Document, name: str) -> Any:
    """What somebody else wrote there, and is none, stays as it is."""
    try:
        value = json.loads(annotations.get(name, "null"))
    except ValueError:
        return None
    annotations.pop(name, None)
    return value


# Ingress: backends were flat


def ingress_to_beta(document: Document) -> Document:
    """From networking.k8s.io/v1."""
    spec = _part(document, "spec")
    if "defaultBackend" in spec:
        spec["backend"] = _flat(spec.pop("defaultBackend"))
    return {**document, "spec": {**spec, **_with_backends(spec, _flat)}}


def ingress_from_beta(document: Document) -> Document:
    """To networking.k8s.io/v1."""
    spec = _part(document, "spec")
    if "backend" in spec:
        spec["defaultBackend"] = _nested(spec.pop("backend"))
    return {**document, "spec": {**spec, **_with_backends(spec, _nested)}}


def _with_backends(spec: Document, change: Conversion) -> Document:
    if not isinstance(spec.get("rules"), list):
        return {}
    return {"rules": [_rule(rule, change) if isinstance(rule, dict) else rule for rule in spec["rules"]]}


def _rule(rule: Document, change: Conversion) -> Document:
    paths = _part(rule, "http").get("paths")
    if not isinstance(paths, list):
        return rule
    changed = [
        {"pathType": "ImplementationSpecific", **path, "backend": change(path.get("backend") or {})} for path in paths
    ]
    return {**rule, "http": {**rule["http"], "paths": changed}}


def _flat(backend: Document) -> Document:
    service = _part(backend, "service")
    port = _part(service, "port")
    told = {"serviceName": service.get("name"), "servicePort": port.get("name") or port.get("number")}
    rest = {name: value for name, value in backend.items() if name != "service"}
    return {**rest, **{name: value for name, value in told.items() if value is not None}}


def _nested(backend: Document) -> Document:
    rest = {name: value for name, value in backend.items() if name not in ("serviceName", "servicePort")}
    if not backend.get("serviceName"):
        return rest
    port = backend.get("servicePort")
    told = {} if port is None else {"port": {"name" if isinstance(port, str) else "number": port}}
    return {**rest, "service": {"name": backend["serviceName"], **told}}


# EndpointSlice: zones were among topology labels


def slice_to_beta(document: Document) -> Document:
    """From discovery.k8s.io/v1."""
    return _with_endpoints(document, _endpoint_to_beta)


def slice_from_beta(document: Document) -> Document:
    """To discovery.k8s.io/v1."""
    return _with_endpoints(document, _endpoint_from_beta)


def _with_endpoints(document: Document, change: Conversion) -> Document:
    if not isinstance(document.get("endpoints"), list):
        return document
    return {**document, "endpoints": [change(dict(each)) for each in document["endpoints"]]}


def _endpoint_to_beta(endpoint: Document) -> Document:
    topology = {**(endpoint.pop("deprecatedTopology", None) or {})}
    if (zone := endpoint.pop("zone", None)) is not None:
        topology[_ZONE] = zone
    return {**endpoint, "topology": topology} if topology else endpoint


def _endpoint_from_beta(endpoint: Document) -> Document:
    topology = {**(endpoint.pop("topology", None) or {})}
    if (zone := topology.pop(_ZONE, None)) is not None:
        endpoint["zone"] = zone
    return {**endpoint, "deprecatedTopology": topology} if topology else endpoint


# Webhooks: other defaults; and a priority level's shares were called otherwise

_HOOK_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "failurePolicy": "Ignore",
        "matchPolicy": "Exact",
        "sideEffects": "Unknown",
        "timeoutSeconds": 30,
        "admissionReviewVersions": ("v1beta1",),
    }
)


def webhooks_from_beta(document: Document) -> Document:
    """To admissionregistration.k8s.io/v1."""
    hooks = [{**_HOOK_DEFAULTS, **_said(hook)} for hook in _list(document.get("webhooks")) if isinstance(hook, dict)]
    return {**document, "webhooks": hooks} if hooks else document


def _said(hook: Document) -> Document:
    return {name: value for name, value in hook.items() if value is not None}


def level_to_beta(document: Document) -> Document:
    """From flowcontrol.apiserver.k8s.io/v1."""
    return _with_shares(document, "nominalConcurrencyShares", "assuredConcurrencyShares")


def level_from_beta(document: Document) -> Document:
    """To flowcontrol.apiserver.k8s.io/v1."""
    return _with_shares(document, "assuredConcurrencyShares", "nominalConcurrencyShares")


def _with_shares(document: Document, former: str, name: str) -> Document:
    spec = _part(document, "spec")
    limited = _part(spec, "limited")
    if former not in limited:
        return document
    limited[name] = limited.pop(former)
    return {**document, "spec": {**spec, "limited": limited}}


def _part(document: Any, name: str) -> Document:
    """Return a copy of the object called ``name``, empty where there is none."""
    value = document.get(name)
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []
