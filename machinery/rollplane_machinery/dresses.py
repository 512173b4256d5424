"""Objects shown in another API version than the one they are stored in, and taken back from it.

A dress is a pure translation of messages both ways: no object gains or loses by it. Which versions are served is told
by ``served``; manifests of yet older versions are the codec's business (``codec.legacy``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from rollplane.core.v1 import Event
from rollplane.events.v1 import Event as NewerEvent
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import kinds
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.older.versions import OLDER_VERSIONS

V1BETA1_MATCH = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match"
"""The label nobody has: v1beta1 has no word for a budget of all pods, v1 none for a budget of no pod."""


_FIELD = re.compile(r"(?:^|(?<=[^\\],))[A-Za-z.]+(?=!?=)")
"""A field's name in a selector: at its beginning or behind a comma that is not part of a value."""


@dataclass(frozen=True, slots=True)
class Dress:
    """An API version of a kind: its message, and the way there and back.

    ``put_on`` and ``take_off`` return new messages and leave theirs as they are. ``field_names`` are the names that
    field selectors have in this version, with those of the storage version. ``configuration`` turns what is applied on
    the server's side into the storage version; None where that cannot be.
    """

    api_version: str
    message: type[Message]
    put_on: Callable[[Any], Message]
    take_off: Callable[[Any], ApiObject]
    field_names: Mapping[str, str] = field(default_factory=dict)
    configuration: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def selector(self, text: str) -> str:
        """Return the field selector ``text`` with the names that the storage version has for its fields."""
        return _FIELD.sub(lambda found: self.field_names.get(found[0], found[0]), text)


def dress_of(kind: Kind, api_version: str) -> Dress | None:
    """Return how ``kind`` is shown in ``api_version``; None for its storage version and for what nobody translates."""
    return _DRESSES.get((kind, api_version))


def by_type(api_version: str, name: str) -> tuple[Kind, Dress] | None:
    """Return the kind and the dress of what calls itself ``name`` in ``api_version``; None for all else."""
    return _BY_TYPE.get((api_version, name))


_SAME_NAMES = (
    *("metadata", "event_time", "series", "reporting_instance", "action", "reason", "related"),
    "type",
)
_NEWER_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "reporting_controller": "reporting_component",
        "regarding": "involved_object",
        "note": "message",
        "deprecated_source": "source",
        "deprecated_first_timestamp": "first_timestamp",
        "deprecated_last_timestamp": "last_timestamp",
        "deprecated_count": "count",
        **{name: name for name in _SAME_NAMES},
    }
)
"""The fields of an events.k8s.io Event, with what the core Event calls them."""


def _newer_event(event: Event) -> NewerEvent:
    newer = NewerEvent()
    for name, core_name in _NEWER_NAMES.items():
        _copy(event, core_name, newer, name)
    return newer


def _core_event(newer: NewerEvent) -> Event:
    event = Event()
    for name, core_name in _NEWER_NAMES.items():
        _copy(newer, name, event, core_name)
    return event


def _copy(source: Message, name: str, target: Message, target_name: str) -> None:
    if not source.HasField(name):
        return
    value = getattr(source, name)
    if isinstance(value, Message):
        getattr(target, target_name).CopyFrom(value)
    else:
        setattr(target, target_name, value)


def _beta_budget(budget: PodDisruptionBudget) -> PodDisruptionBudget:
    return _with_selector_of(budget, none_is_empty=True)


def _stored_budget(budget: PodDisruptionBudget) -> PodDisruptionBudget:
    return _with_selector_of(budget, none_is_empty=False)


def _with_selector_of(budget: PodDisruptionBudget, *, none_is_empty: bool) -> PodDisruptionBudget:
    """Return a copy whose selector matches the same pods where the empty one matches none, or all."""
    shown = PodDisruptionBudget()
    shown.CopyFrom(budget)
    if not budget.spec.HasField("selector"):
        return shown
    selector = shown.spec.selector
    if not selector.match_labels and not selector.match_expressions:
        selector.match_expressions.add(key=V1BETA1_MATCH, operator="DoesNotExist" if none_is_empty else "Exists")
    elif _is_only(budget, "Exists" if none_is_empty else "DoesNotExist"):
        del selector.match_expressions[:]
    return shown


def _is_only(budget: PodDisruptionBudget, operator: str) -> bool:
    selector = budget.spec.selector
    if selector.match_labels or len(selector.match_expressions) != 1:
        return False
    only = selector.match_expressions[0]
    return only.key == V1BETA1_MATCH and only.operator == operator


_EVENT_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        f"regarding.{name}": f"involvedObject.{name}"
        for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    }
    | {"reportingController": "reportingComponent"}
)
_ALL: tuple[tuple[Kind, Dress], ...] = (
    *(
        (kinds.EVENT, Dress(version, NewerEvent, _newer_event, _core_event, _EVENT_FIELDS))
        for version in ("events.k8s.io/v1", "events.k8s.io/v1beta1")
    ),
    (
        kinds.POD_DISRUPTION_BUDGET,
        Dress("policy/v1beta1", PodDisruptionBudget, _beta_budget, _stored_budget),
    ),
    *(
        (each.kind, Dress(each.api_version, StoredObject, each.put_on, each.take_off, configuration=each.configuration))
        for each in OLDER_VERSIONS
    ),
)
_DRESSES: Mapping[tuple[Kind, str], Dress] = MappingProxyType({(kind, each.api_version): each for kind, each in _ALL})
_BY_TYPE: Mapping[tuple[str, str], tuple[Kind, Dress]] = MappingProxyType(
    {(each.api_version, kind.name): (kind, each) for kind, each in _ALL}
)
