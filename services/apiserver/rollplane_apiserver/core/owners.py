"""The record of who wrote which fields of an object, ``metadata.managedFields``, as writes leave it.

Only writes that ask for it are recorded, and applies; controllers and kubelets do not, and pay nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.meta.v1 import ManagedFieldsEntry, ObjectMeta
from rollplane_machinery.api import Key, WriteOptions
from rollplane_machinery.fields import (
    Managers,
    Writer,
    is_reset,
    owners_after_update,
    read_managers,
    written_managers,
)
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.strategy import is_unchanged


def settle_owners(
    key: Key, new: ApiObject, old: ApiObject | None, options: WriteOptions, now: float, subresource: str = ""
) -> None:
    """Give ``new``, otherwise ready to be stored over ``old`` (None: created), its owners after any write but an apply.

    What the client sent in their place counts, unless it wrote a subresource. Raises BadRequestError for entries that
    are none, of a write that is not recorded.
    """
    if options.track_fields:
        writer = Writer(options.field_manager, subresource, now)
        enter(new, old, owners_after_update(key.kind, new, old, writer))
    elif new.metadata.managed_fields:
        _settle_sent(new.metadata, None if old is None else old.metadata, subresource)


def enter(new: ApiObject, old: ApiObject | None, managers: Managers) -> None:
    """Record ``managers`` on ``new``, in place.

    Where nothing differs from ``old`` but the times of entries these stay as they were: such a write changes nothing.
    """
    entries = written_managers(managers)
    if old is not None and _timeless(entries) == _timeless(old.metadata.managed_fields):
        _replace(new.metadata, old.metadata.managed_fields)
        if is_unchanged(new, old):
            return
    _replace(new.metadata, entries)


def _settle_sent(new: ObjectMeta, old: ObjectMeta | None, subresource: str) -> None:
    if old is not None and new.managed_fields == old.managed_fields:
        return
    if subresource and old is not None:
        _replace(new, old.managed_fields)
    elif is_reset(new.managed_fields):
        new.ClearField("managed_fields")
    else:
        read_managers(new.managed_fields)


def _replace(metadata: ObjectMeta, entries: Sequence[ManagedFieldsEntry]) -> None:
    kept = list(entries)
    metadata.ClearField("managed_fields")
    metadata.managed_fields.extend(kept)


def _timeless(entries: Sequence[ManagedFieldsEntry]) -> list[ManagedFieldsEntry]:
    bare = [ManagedFieldsEntry.FromString(entry.SerializeToString()) for entry in entries]
    for entry in bare:
        entry.ClearField("time")
    return sorted(bare, key=lambda entry: (entry.operation, entry.manager, entry.api_version, entry.subresource))
