"""Who owns which fields of an object, before and after a write.

Source: kubernetes/apimachinery pkg/util/managedfields/internal (fieldmanager.go, skipnonapplied.go,
lastappliedmanager.go, lastappliedupdater.go) and the GetResetFields of kubernetes/kubernetes pkg/registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.stored.v1 import StoredObject
from rollplane_machinery import kinds
from rollplane_machinery.codec import decode, message_from_json, to_json
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.apply import Conflict, begin, conflict_error
from rollplane_machinery.fields.comparison import compare
from rollplane_machinery.fields.configuration import Configuration
from rollplane_machinery.fields.elements import field_element
from rollplane_machinery.fields.extraction import field_set
from rollplane_machinery.fields.kinds import node_of_kind
from rollplane_machinery.fields.managers import Managers, Owned, applier, is_reset, read_managers, updater
from rollplane_machinery.fields.reconciling import reconciled
from rollplane_machinery.fields.sets import EMPTY, FieldSet
from rollplane_machinery.fields.update import NEVER_OWNED, updated
from rollplane_machinery.fields.values import as_members
from rollplane_machinery.kinds import ApiObject, CustomKind, Kind
from rollplane_machinery.patch.json_value import JsonObject, check_depth
from rollplane_machinery.well_known import LAST_APPLIED

BEFORE_FIRST_APPLY = "before-first-apply"
"""Owns what was there when an object was first applied that nobody was recorded for."""
CLIENT_SIDE_APPLIERS = frozenset({"kubectl", "rollplane"})
"""The field managers that take over what client-side apply set, and keep its annotation up to date."""

_SPEC, _STATUS = FieldSet.of([(field_element("spec"),)]), FieldSet.of([(field_element("status"),)])


def _metadata(*names: str) -> FieldSet:
    return FieldSet.of((field_element("metadata"), field_element(name)) for name in names)


_IGNORED: Mapping[tuple[Kind, str], FieldSet] = MappingProxyType(
    {
        (kinds.NAMESPACE, ""): _STATUS | _SPEC,
        (kinds.DEPLOYMENT, "status"): _SPEC | _metadata("labels"),
        (kinds.POD, "status"): _SPEC | _metadata("deletionTimestamp", "ownerReferences"),
    }
)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and through which subresource; ``now`` is in seconds since the epoch."""

    name: str
    subresource: str
    now: float


@dataclass(frozen=True, slots=True)
class Merged:
    """An object after an apply, not defaulted yet, and who owns what of it."""

    object: ApiObject
    managers: Managers


def owners_after_update(kind: Kind, new: ApiObject, old: ApiObject | None, writer: Writer) -> Managers:
    """Return who owns what of ``new``, which ``writer`` made of ``old`` (None: created) by any write but an apply.

    Owners that the client sent along in ``new`` count, unless it writes a subresource; ``is_reset`` ones leave nobody.
    Of an object that exists and has no owners none are recorded before its first apply.
    """
    if not writer.subresource and is_reset(new.metadata.managed_fields):
        return {}
    managers = _sent(new) if not writer.subresource else {}
    if not managers and old is not None:
        managers = _recorded(kind, old)
        if not managers:
            return {}
    before = _document(kind.new() if old is None else old)
    manager = updater(writer.name, kind.api_version, writer.subresource)
    ignored = _ignored(kind, writer.subresource)
    return updated(managers, manager, kind.api_version, before, _document(new), node_of_kind(kind), ignored, writer.now)


def apply_configuration(config: Configuration, old: ApiObject | None, writer: Writer, *, force: bool) -> Merged:
    """Return what comes of applying ``config`` to ``old`` (None: it is created).

    Raises ConflictError, with a cause for each field, when it changes what others own, unless ``force`` takes it from
    them; BadRequestError when the merged object cannot be read.
    """
    live = config.kind.new() if old is None else old
    managers = _recorded(config.kind, live)
    if not managers and old is not None:
        managers = _before_first_apply(config.kind, old, writer)
    kind, ignored = config.kind, _ignored(config.kind, writer.subresource)
    apply = begin(
        _document(live),
        config.document,
        node_of_kind(kind),
        managers,
        applier(writer.name, writer.subresource),
        ignored,
    )
    merged = _read(config.kind, apply.merged)
    changes = apply.changes(_document(merged), ignored)
    if not force and (conflicts := apply.conflicts(changes)):
        _refuse_conflicts(config, live, conflicts, writer)
    if writer.name in CLIENT_SIDE_APPLIERS and merged.metadata.annotations.get(LAST_APPLIED):
        merged.metadata.annotations[LAST_APPLIED] = _last_applied(config)
    return Merged(merged, apply.managers(changes, kind.api_version, writer.now))


def _before_first_apply(kind: Kind, old: ApiObject, writer: Writer) -> Managers:
    """Who owns what of an object that nobody was recorded for.

    What client-side apply set, and nobody changed since, is its own already when it goes on by server-side apply.
    """
    manager = updater(BEFORE_FIRST_APPLY, kind.api_version, writer.subresource)
    empty, ignored = _document(kind.new()), _ignored(kind, writer.subresource)
    found = updated({}, manager, kind.api_version, empty, _document(old), node_of_kind(kind), ignored, writer.now)
    own = _still_last_applied(kind, old, writer).without(ignored) - NEVER_OWNED
    if not own:
        return found
    others = {each: owned.with_fields(owned.fields - own) for each, owned in found.items()}
    return {**others, applier(writer.name, writer.subresource): Owned(own, kind.api_version)}


def _refuse_conflicts(config: Configuration, live: ApiObject, conflicts: Sequence[Conflict], writer: Writer) -> None:
    """Raise for all conflicts but those with what client-side apply set and nobody changed since.

    The command that did goes on from there by server-side apply.
    """
    own = _still_last_applied(config.kind, live, writer)
    if left := [conflict for conflict in conflicts if conflict.path not in own]:
        raise conflict_error(left)


def _still_last_applied(kind: Kind, live: ApiObject, writer: Writer) -> FieldSet:
    """Return what ``writer`` set by client-side apply, if it did, and is still so."""
    if writer.name not in CLIENT_SIDE_APPLIERS:
        return EMPTY
    try:
        last = json.loads(live.metadata.annotations.get(LAST_APPLIED, ""))
        check_depth(last)
    except (ValueError, RecursionError, BadRequestError):
        return EMPTY  # somebody else's text: no reason to take anything from anybody
    if not isinstance(last, dict) or last.get("apiVersion") != kind.api_version:
        return EMPTY
    changes = compare(last, _document(live), node_of_kind(kind))
    return field_set(last, node_of_kind(kind)) - changes.written - changes.removed


def _last_applied(config: Configuration) -> str:
    """What client-side apply would remember of ``config``."""
    metadata = as_members(config.document.get("metadata"))
    annotations = {
        name: value for name, value in as_members(metadata.get("annotations")).items() if name != LAST_APPLIED
    }
    document = {**config.document, "metadata": {**metadata, "annotations": annotations}}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def _sent(obj: ApiObject) -> Managers:
    """Who owns what by the entries that a client sent; nobody when they cannot be read."""
    try:
        return read_managers(obj.metadata.managed_fields)
    except BadRequestError:
        return {}


def _recorded(kind: Kind, obj: ApiObject) -> Managers:
    """Who owns what of a stored object, in the terms of today's schema."""
    node = node_of_kind(kind)
    return {each: owned.with_fields(reconciled(owned.fields, node)) for each, owned in _sent(obj).items()}


def _document(obj: ApiObject) -> JsonObject:
    """``obj`` as JSON without its owners: they own themselves nothing, and are long."""
    bare = type(obj).FromString(obj.SerializeToString())
    bare.metadata.ClearField("managed_fields")
    document: JsonObject = to_json(bare)
    return document


def _read(kind: Kind, document: JsonObject) -> ApiObject:
    if isinstance(kind, CustomKind):
        return kind.stamp(message_from_json(StoredObject, document, strict=False))
    return decode(document, strict=False).object


def _ignored(kind: Kind, subresource: str) -> FieldSet:
    """What a write by this way cannot change, whatever it says."""
    known = _IGNORED.get((kind, subresource))
    if known is not None:
        return known
    if subresource == "status":
        return _SPEC
    return _STATUS if kind.has_status else EMPTY
