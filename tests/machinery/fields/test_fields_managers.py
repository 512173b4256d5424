"""The record itself: entries as they are read, ordered, merged when there are too many, and named in errors."""

from __future__ import annotations

import pytest

from rollplane.meta.v1 import FieldsV1, ManagedFieldsEntry
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.managers import (
    ANCIENT_CHANGES,
    MAX_UPDATERS,
    Manager,
    Managers,
    Operation,
    Owned,
    applier,
    capped,
    is_reset,
    read_managers,
    updater,
    written_managers,
)
from rollplane_machinery.fields.sets import EMPTY, FieldSet


def fields(*names: str) -> FieldSet:
    return FieldSet.of((f"f:{name}",) for name in names)


def crowd(count: int, version: str = "apps/v1", seconds: float = 0.0) -> dict[Manager, Owned]:
    """Updaters a, b, c and so on, each with a field of its name, each a second younger than the one before."""
    names = [chr(ord("a") + number) for number in range(count)]
    return {
        updater(name, version, ""): Owned(fields(name), version, seconds + number) for number, name in enumerate(names)
    }


def shown(managers: Managers) -> dict[str, FieldSet]:
    return {f"{each.name} {owned.api_version}": owned.fields for each, owned in managers.items()}


def test_entries_are_read_back_as_they_were_written() -> None:
    managers = {
        applier("me", "status"): Owned(fields("a"), "apps/v1", 5.0),
        updater("", "v1", ""): Owned(fields("b"), "v1"),
    }
    entries = written_managers(managers)
    assert read_managers(entries) == managers
    assert [(entry.manager, entry.operation, entry.subresource) for entry in entries] == [
        ("me", "Apply", "status"),
        ("unknown", "Update", ""),
    ]
    assert not entries[1].HasField("time")


def test_entries_are_ordered_by_operation_time_and_name() -> None:
    managers = {
        updater("b", "v1", ""): Owned(fields("x"), "v1", 1),
        updater("a", "v1", ""): Owned(fields("x"), "v1", 1),
        updater("z", "v1", ""): Owned(fields("x"), "v1", 0),
        applier("late", ""): Owned(fields("x"), "v1", 9),
        applier("nobody", ""): Owned(EMPTY, "v1", 1),
    }
    assert [entry.manager for entry in written_managers(managers)] == ["late", "z", "a", "b"]


@pytest.mark.parametrize(
    ("count", "ancient"), [(MAX_UPDATERS, ""), (MAX_UPDATERS + 1, "ab"), (MAX_UPDATERS + 3, "abcd")]
)
def test_the_oldest_are_merged(count: int, ancient: str) -> None:
    found = shown(capped(crowd(count)))
    assert len(found) <= MAX_UPDATERS
    assert found.get(f"{ANCIENT_CHANGES} apps/v1", EMPTY) == fields(*ancient)


def test_what_was_merged_before_is_kept_whatever_its_time() -> None:
    bucket = updater(ANCIENT_CHANGES, "apps/v1", "")
    found = shown(capped({**crowd(MAX_UPDATERS), bucket: Owned(fields("old"), "apps/v1", 99.0)}))
    assert found[f"{ANCIENT_CHANGES} apps/v1"] == fields("old", "a")
    assert len(found) == MAX_UPDATERS


def test_versions_are_merged_apart_and_appliers_never() -> None:
    appliers = {applier(name, ""): Owned(fields("x"), "v1", 0.0) for name in "pqrstuvwxyz"}
    found = shown(capped({**crowd(2, "v1"), **crowd(MAX_UPDATERS, "v2", 10.0), **appliers}))
    assert found[f"{ANCIENT_CHANGES} v1"] == fields("a", "b")
    assert found[f"{ANCIENT_CHANGES} v2"] == fields("a", "b")
    assert len(found) == MAX_UPDATERS + len(appliers)


NAMES: dict[str, tuple[Manager, str]] = {
    "an applier": (applier("me", ""), '"me"'),
    "an updater": (updater("me", "apps/v1", ""), '"me" using apps/v1'),
    "of a subresource": (updater("me", "apps/v1", "scale"), '"me" with subresource "scale" using apps/v1'),
    "an applier's status": (applier("me", "status"), '"me" with subresource "status"'),
}


@pytest.mark.parametrize(("manager", "expected"), NAMES.values(), ids=NAMES)
def test_how_conflicts_name_them(manager: Manager, expected: str) -> None:
    assert str(manager) == expected
    assert manager.operation in Operation


WRONG: dict[str, ManagedFieldsEntry] = {
    "no operation": ManagedFieldsEntry(manager="m", api_version="v1", fields_type="FieldsV1"),
    "no version": ManagedFieldsEntry(manager="m", operation="Update", fields_type="FieldsV1"),
    "another type": ManagedFieldsEntry(manager="m", operation="Update", api_version="v1", fields_type="FieldsV2"),
    "no JSON": ManagedFieldsEntry(
        operation="Update", api_version="v1", fields_type="FieldsV1", fields_v1=FieldsV1(raw=b"nope")
    ),
}


@pytest.mark.parametrize("entry", WRONG.values(), ids=WRONG)
def test_what_is_no_entry(entry: ManagedFieldsEntry) -> None:
    with pytest.raises(BadRequestError):
        read_managers([entry])


def test_a_reset_is_one_empty_entry() -> None:
    assert is_reset([ManagedFieldsEntry()])
    assert not is_reset([])
    assert not is_reset([ManagedFieldsEntry(), ManagedFieldsEntry()])
    assert not is_reset([ManagedFieldsEntry(manager="m")])
