"""Who owns what: ``metadata.managedFields`` as values, and back.

Source: kubernetes/apimachinery pkg/util/managedfields/internal/managedfields.go and capmanagers.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from rollplane.meta.v1 import FieldsV1, ManagedFieldsEntry
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.fields_v1 import dump_fields, load_fields
from rollplane_machinery.fields.sets import FieldSet
from rollplane_machinery.times import is_set, time_of, to_seconds

FIELDS_V1 = "FieldsV1"
MAX_UPDATERS = 10
"""How many entries of updates an object keeps; the oldest are merged beyond it."""
ANCIENT_CHANGES = "ancient-changes"
UNKNOWN = "unknown"
"""The manager of a write that names none."""


class Operation(StrEnum):
    """How a manager came to own its fields."""

    APPLY = "Apply"
    UPDATE = "Update"


class Manager(NamedTuple):
    """What tells one entry from the others. ``api_version`` is empty for an applier, who stays one in any version."""

    name: str
    operation: Operation
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        """As conflicts name it: ``"kubectl" using apps/v1`` for an updater, the bare name for an applier."""
        where = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.api_version}" if self.operation is Operation.UPDATE else ""
        return f'"{self.name}"{where}{using}'


@dataclass(frozen=True, slots=True)
class Owned:
    """What one manager owns, in the field names of ``api_version``; ``seconds`` is when that last changed, if known."""

    fields: FieldSet
    api_version: str
    seconds: float | None = None

    def with_fields(self, fields: FieldSet) -> Owned:
        """Return the same with other fields."""
        return replace(self, fields=fields)


Managers = Mapping[Manager, Owned]


def applier(name: str, subresource: str) -> Manager:
    """Return whom an apply by the field manager ``name`` is entered for."""
    return Manager(name, Operation.APPLY, "", subresource)


def updater(name: str, api_version: str, subresource: str) -> Manager:
    """Return whom any other write by the field manager ``name`` is entered for."""
    return Manager(name or UNKNOWN, Operation.UPDATE, api_version, subresource)


def is_reset(entries: Iterable[ManagedFieldsEntry]) -> bool:
    """Whether these entries ask that nobody be remembered: a single empty one, as an empty list is read too."""
    given = list(entries)
    return len(given) == 1 and given[0] == ManagedFieldsEntry()


def read_managers(entries: Iterable[ManagedFieldsEntry]) -> Managers:
    """Return who owns what; raises BadRequestError for an entry that is none."""
    return dict(map(_read, entries))


def written_managers(managers: Managers) -> list[ManagedFieldsEntry]:
    """Return the entries, in a real server's order: appliers first, then by time and name; no empty ones."""
    owners = sorted(managers.items(), key=_order)
    return [_written(manager, owned) for manager, owned in owners if owned.fields]


def capped(managers: Managers) -> Managers:
    """Return ``managers`` with at most MAX_UPDATERS updaters, the oldest merged by version into ANCIENT_CHANGES."""
    updaters = [item for item in managers.items() if item[0].operation is Operation.UPDATE]
    surplus = len(updaters) - MAX_UPDATERS
    if surplus <= 0:
        return managers
    left = dict(managers)
    into = {owned.api_version: manager for manager, owned in updaters if manager.name == ANCIENT_CHANGES}
    for manager, owned in sorted(updaters, key=_age):
        version = owned.api_version
        if manager.name == ANCIENT_CHANGES or surplus == 0:
            continue
        if version in into:
            older, bucket = left.pop(into[version]), updater(ANCIENT_CHANGES, version, "")
            left[bucket] = left.pop(manager).with_fields(older.fields | owned.fields)
            into[version] = bucket
            surplus -= 1
        else:
            into[version] = manager
    return left


def _order(item: tuple[Manager, Owned]) -> tuple[str, int, str, str, str]:
    manager, owned = item
    return (manager.operation, int(owned.seconds or 0), manager.name, owned.api_version, manager.subresource)


def _age(item: tuple[Manager, Owned]) -> tuple[int, Manager]:
    return (int(item[1].seconds or 0), item[0])


def _read(entry: ManagedFieldsEntry) -> tuple[Manager, Owned]:
    if entry.operation not in list(Operation):
        raise BadRequestError(f"the operation of a managedFields entry is {entry.operation!r}, want Apply or Update")
    if entry.fields_type != FIELDS_V1 or not entry.api_version:
        raise BadRequestError(f"a managedFields entry needs an apiVersion and the fieldsType {FIELDS_V1}")
    operation = Operation(entry.operation)
    version = "" if operation is Operation.APPLY else entry.api_version
    seconds = to_seconds(entry.time) if is_set(entry.time) else None
    owned = Owned(load_fields(entry.fields_v1.raw or b"{}"), entry.api_version, seconds)
    return Manager(entry.manager, operation, version, entry.subresource), owned


def _written(manager: Manager, owned: Owned) -> ManagedFieldsEntry:
    return ManagedFieldsEntry(
        manager=manager.name,
        operation=manager.operation,
        api_version=owned.api_version,
        time=None if owned.seconds is None else time_of(owned.seconds),
        fields_type=FIELDS_V1,
        fields_v1=FieldsV1(raw=dump_fields(owned.fields)),
        subresource=manager.subresource or None,
    )
