"""Columns of kinds that are kept as JSON.

Source: kubernetes/kubernetes pkg/printers/internalversion/printers.go, releases 1.20 to 1.32.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import STORED_KINDS, Kind
from rollplane_printing.durations import age
from rollplane_printing.others import ACCESS_MODES
from rollplane_printing.table import AGE, NAME, NONE, Cell, Column, Layout, joined, number, or_none, text

Json = Any


class _Data:
    """The JSON of an object, asked by paths; what is not there, or is something else, is empty."""

    def __init__(self, obj: StoredObject) -> None:
        named = {"spec": obj.spec, "status": obj.status, **obj.members}
        self._json = {name: json.loads(value.json) for name, value in named.items() if value.json}

    def at(self, path: str) -> Json:
        """Return what stands at ``path`` (``spec.claimRef.name``); None where nothing does."""
        value: Json = self._json
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def text(self, path: str) -> str:
        """Return it as text: numbers in decimal, true or false."""
        return _plain(self.at(path))

    def number(self, path: str) -> int:
        """Return it as a whole number, 0 where it is none."""
        value = self.at(path)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def objects(self, path: str) -> list[dict[str, Json]]:
        """Return the objects of the list there."""
        value = self.at(path)
        return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _plain(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


_Cells = Callable[[_Data], Sequence[Cell]]


def _layout(columns: Sequence[Column], cells: _Cells) -> Layout:
    """Return a layout of ``columns`` between the name and the age."""

    def filled(obj: StoredObject, now: float) -> list[Cell]:
        return [obj.metadata.name, *cells(_Data(obj)), age(obj.metadata.creation_timestamp, now)]

    return Layout((NAME, *columns, AGE), filled)


def _titles(*names: str) -> tuple[Column, ...]:
    return tuple(map(text, names))


def _counted(path: str) -> _Cells:
    """How many items the list at ``path`` has."""
    return lambda data: [len(data.objects(path))]


def _texts(*paths: str) -> _Cells:
    return lambda data: [data.text(path) for path in paths]


def _job(data: _Data) -> list[Cell]:
    wanted = data.at("spec.completions")
    done = data.number("status.succeeded")
    completions = f"{done}/{wanted}" if wanted is not None else f"{done}/1"
    return [_job_status(data), completions]


def _job_status(data: _Data) -> str:
    said = {each.get("type") for each in data.objects("status.conditions") if each.get("status") == "True"}
    return next((word for word in ("Complete", "Failed", "Suspended") if word in said), "Running")


def _cron_job(data: _Data) -> list[Cell]:
    return [
        data.text("spec.schedule"),
        or_none(data.text("spec.timeZone")),
        "True" if data.at("spec.suspend") is True else "False",
        len(data.objects("status.active")),
        or_none(data.text("status.lastScheduleTime")),
    ]


def _ingress(data: _Data) -> list[Cell]:
    hosts = [_plain(rule.get("host")) for rule in data.objects("spec.rules")]
    named = list(filter(None, hosts))
    addresses = [_plain(each.get("ip") or each.get("hostname")) for each in data.objects("status.loadBalancer.ingress")]
    shown = ",".join(named[:3]) + (f" + {len(named) - 3} more..." if len(named) > 3 else "")
    return [
        or_none(data.text("spec.ingressClassName")),
        shown or "*",
        ",".join(addresses),
        "80, 443" if data.objects("spec.tls") else "80",
    ]


def _ingress_class(data: _Data) -> list[Cell]:
    kind, name = data.text("spec.parameters.kind"), data.text("spec.parameters.name")
    group = data.text("spec.parameters.apiGroup")
    parameters = f"{kind}{f'.{group}' if group else ''}/{name}" if kind else NONE
    return [data.text("spec.controller"), parameters]


def _selector(data: _Data) -> list[Cell]:
    labels = data.at("spec.podSelector.matchLabels")
    return [joined([f"{name}={labels[name]}" for name in sorted(labels)]) if isinstance(labels, dict) else NONE]


def _autoscaler(data: _Data) -> list[Cell]:
    return [
        f"{data.text('spec.scaleTargetRef.kind')}/{data.text('spec.scaleTargetRef.name')}",
        joined([*_targets(data)]),
        data.text("spec.minReplicas") or "<unset>",
        data.number("spec.maxReplicas"),
        data.number("status.currentReplicas"),
    ]


def _targets(data: _Data) -> Iterator[str]:
    """What is aimed at; nothing here measures what is so."""
    for metric in data.objects("spec.metrics"):
        resource = metric.get("resource")
        if isinstance(resource, dict) and isinstance(target := resource.get("target"), dict):
            wanted = target.get("averageUtilization")
            aim = f"{wanted}%" if wanted is not None else _plain(target.get("averageValue"))
            yield f"{_plain(resource.get('name'))}: <unknown>/{aim}"
        else:
            yield "<unknown>"


def _role_of(data: _Data) -> list[Cell]:
    return [f"{data.text('roleRef.kind')}/{data.text('roleRef.name')}"]


def _volume(data: _Data) -> list[Cell]:
    claim = data.text("spec.claimRef.name")
    modes = data.at("spec.accessModes")
    return [
        data.text("spec.capacity.storage"),
        ",".join(ACCESS_MODES.get(_plain(mode), _plain(mode)) for mode in modes) if isinstance(modes, list) else "",
        data.text("spec.persistentVolumeReclaimPolicy"),
        data.text("status.phase"),
        f"{data.text('spec.claimRef.namespace')}/{claim}" if claim else "",
        data.text("spec.storageClassName"),
    ]


def _storage_class(data: _Data) -> list[Cell]:
    return [
        data.text("provisioner"),
        data.text("reclaimPolicy") or "Delete",
        data.text("volumeBindingMode") or "Immediate",
        data.text("allowVolumeExpansion") or "false",
    ]


def _priority_class(data: _Data) -> list[Cell]:
    return [data.number("value"), data.text("globalDefault") or "false"]


def _api_service(data: _Data) -> list[Cell]:
    name = data.text("spec.service.name")
    available = [each for each in data.objects("status.conditions") if each.get("type") == "Available"]
    return [
        f"{data.text('spec.service.namespace')}/{name}" if name else "Local",
        _plain(available[0].get("status")) if available else "Unknown",
    ]


def _endpoints(data: _Data) -> list[Cell]:
    found = [
        f"{_plain(address.get('ip'))}:{_plain(port.get('port'))}"
        for subset in data.objects("subsets")
        for port in subset.get("ports") or [{}]
        for address in subset.get("addresses") or []
    ]
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return [or_none(",".join(found[:3])) + more]


def _endpoint_slice(data: _Data) -> list[Cell]:
    addresses = [_plain(each) for endpoint in data.objects("endpoints") for each in endpoint.get("addresses") or []]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    ports = [_plain(port.get("port")) for port in data.objects("ports")]
    return [data.text("addressType"), ",".join(ports) or "<unset>", (",".join(addresses[:3]) or "<unset>") + more]


PLAIN = _layout((), lambda _: ())
"""Name and age, which every object has."""

_ROWS: Mapping[str, Layout] = {
    "jobs.batch": _layout(_titles("Status", "Completions"), _job),
    "cronjobs.batch": _layout(
        (*_titles("Schedule", "Timezone", "Suspend"), number("Active"), text("Last Schedule")), _cron_job
    ),
    "ingresses.networking.k8s.io": _layout(_titles("Class", "Hosts", "Address", "Ports"), _ingress),
    "ingressclasses.networking.k8s.io": _layout(_titles("Controller", "Parameters"), _ingress_class),
    "networkpolicies.networking.k8s.io": _layout(_titles("Pod-Selector"), _selector),
    "horizontalpodautoscalers.autoscaling": _layout(
        _titles("Reference", "Targets", "MinPods", "MaxPods", "Replicas"), _autoscaler
    ),
    "rolebindings.rbac.authorization.k8s.io": _layout(_titles("Role"), _role_of),
    "clusterrolebindings.rbac.authorization.k8s.io": _layout(_titles("Role"), _role_of),
    "persistentvolumes": _layout(
        _titles("Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"), _volume
    ),
    "storageclasses.storage.k8s.io": _layout(
        _titles("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion"), _storage_class
    ),
    "priorityclasses.scheduling.k8s.io": _layout((number("Value"), text("Global-Default")), _priority_class),
    "runtimeclasses.node.k8s.io": _layout(_titles("Handler"), _texts("handler")),
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _layout((number("Webhooks"),), _counted("webhooks")),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _layout(
        (number("Webhooks"),), _counted("webhooks")
    ),
    "apiservices.apiregistration.k8s.io": _layout(_titles("Service", "Available"), _api_service),
    "endpoints": _layout(_titles("Endpoints"), _endpoints),
    "endpointslices.discovery.k8s.io": _layout(_titles("AddressType", "Ports", "Endpoints"), _endpoint_slice),
}
STORED: Mapping[Kind, Layout] = MappingProxyType({kind: _ROWS.get(kind.resource, PLAIN) for kind in STORED_KINDS})
"""How each of these kinds is shown."""
