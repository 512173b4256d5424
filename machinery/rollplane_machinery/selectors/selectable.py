"""Which fields of each kind a field selector may name, and how to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from rollplane.core import v1 as core
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import kinds
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject, CustomKind, Kind
from rollplane_machinery.selectors.custom import CustomFields, custom_field_names, custom_field_values


@frozen
class _Selectable:
    """Field paths as users write them, and a function that reads all their values from a message in one go."""

    names: tuple[str, ...]
    read: Callable[[Any], Sequence[str | int | bool]]
    is_text: bool = True
    """Whether all values are text already."""


def _event_values(event: core.Event) -> Sequence[str]:
    involved = event.involved_object
    return (
        event.metadata.name,
        event.metadata.namespace,
        involved.kind,
        involved.namespace,
        involved.name,
        involved.uid,
        involved.api_version,
        involved.resource_version,
        involved.field_path,
        event.reason,
        event.reporting_component,
        # An event of the newer style says who reported it in another field.
        event.source.component or event.reporting_component,
        event.type,
    )


_EVENT = _Selectable(
    (
        "metadata.name",
        "metadata.namespace",
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    _event_values,
)


_NO_TEXT = frozenset({"spec.unschedulable", "status.replicas"})


def _read(paths: Mapping[str, str]) -> _Selectable:
    """``paths`` maps the name that users write to the path of attributes in the message."""
    return _Selectable(tuple(paths), attrgetter(*paths.values()), is_text=not _NO_TEXT & paths.keys())


def _name(message: ApiObject) -> Sequence[str]:
    return (message.metadata.name,)


_NAME = {"metadata.name": "metadata.name"}
_NAMESPACED = {**_NAME, "metadata.namespace": "metadata.namespace"}
_POD = {
    "spec.nodeName": "spec.node_name",
    "spec.restartPolicy": "spec.restart_policy",
    "spec.schedulerName": "spec.scheduler_name",
    "spec.serviceAccountName": "spec.service_account_name",
    "status.phase": "status.phase",
    "status.podIP": "status.pod_ip",
    "status.nominatedNodeName": "status.nominated_node_name",
}
_SPECIAL: Mapping[Kind, _Selectable] = MappingProxyType(
    {
        kinds.EVENT: _EVENT,
        kinds.POD: _read(_NAMESPACED | _POD),
        kinds.NODE: _read(_NAME | {"spec.unschedulable": "spec.unschedulable"}),
        kinds.REPLICATION_CONTROLLER: _read(_NAMESPACED | {"status.replicas": "status.replicas"}),
        kinds.NAMESPACE: _read(_NAME | {"status.phase": "status.phase"}),
        kinds.SECRET: _read(_NAMESPACED | {"type": "type"}),
    }
)
_PLAIN, _CLUSTER_SCOPED = _read(_NAMESPACED), _Selectable(tuple(_NAME), _name)


def _of(kind: Kind) -> _Selectable:
    return _SPECIAL.get(kind) or (_PLAIN if kind.namespaced else _CLUSTER_SCOPED)


def selectable_field_names(kind: Kind) -> tuple[str, ...]:
    """Return the field paths that a field selector for ``kind`` may name."""
    return custom_field_names(kind) if isinstance(kind, CustomKind) else _of(kind).names


def selectable_fields(kind: Kind, message: ApiObject) -> Mapping[str, str]:
    """Return the value of every selectable field of ``message``, as text: numbers in decimal, true or false."""
    if isinstance(message, StoredObject) and isinstance(kind, CustomKind):
        return CustomFields(message)
    selectable = _of(kind)
    values = selectable.read(message)
    if selectable.is_text:
        return dict(zip(selectable.names, map(str, values), strict=True))
    return {
        name: value if isinstance(value, str) else _text(value)
        for name, value in zip(selectable.names, values, strict=True)
    }


def have_same_fields(kind: Kind, a: ApiObject, b: ApiObject) -> bool:
    """Return whether no field selector for ``kind`` can tell the two messages apart."""
    read: Callable[[Any], Sequence[str | int | bool]]
    read = partial(custom_field_values, kind) if isinstance(kind, CustomKind) else _of(kind).read
    return read(a) == read(b)


def _text(value: int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
