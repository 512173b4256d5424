"""What a real server recorded, against what we make of the same objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import pytest

from rollplane_machinery.codec import from_json
from rollplane_machinery.fields import Writer, owners_after_update
from rollplane_machinery.fields.elements import printed
from rollplane_machinery.fields.fields_v1 import dump_fields, load_fields
from rollplane_machinery.fields.reconciling import reconciled
from rollplane_machinery.fields.schema import node_of
from rollplane_machinery.fields.sets import EMPTY, FieldSet
from rollplane_machinery.kinds import BY_API_VERSION_KIND

RECORDED = Path(__file__).parents[2] / "golden" / "objects.json"
CREATOR = "python-requests"
ADMITTED = {
    ".spec.priority",
    ".spec.preemptionPolicy",
    ".spec.tolerations",
    ".spec.taints",
    ".metadata.finalizers",
    '.metadata.finalizers[="kubernetes.io/pvc-protection"]',
}
"""What admission added to the recorded objects after their creator had been entered."""


def recorded(value: Any) -> Iterator[dict[str, Any]]:
    """Every object with managedFields in ``value``."""
    if isinstance(value, dict):
        metadata = value.get("metadata")
        if isinstance(metadata, dict) and metadata.get("managedFields"):
            yield value
        else:
            for each in value.values():
                yield from recorded(each)
    elif isinstance(value, list):
        for each in value:
            yield from recorded(each)


OBJECTS = list(recorded(json.loads(RECORDED.read_text())))
NAMES = [f"{number} {each['kind']}" for number, each in enumerate(OBJECTS)]


def text_of(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry["fieldsV1"], ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("data", OBJECTS, ids=NAMES)
def test_recorded_sets_are_written_as_they_were_read(data: dict[str, Any]) -> None:
    for entry in data["metadata"]["managedFields"]:
        assert dump_fields(load_fields(text_of(entry))) == text_of(entry)


@pytest.mark.parametrize("data", OBJECTS, ids=NAMES)
def test_a_creator_owns_what_it_owned_then(data: dict[str, Any]) -> None:
    """Release 1.20 is the recorded one: what is atomic since is taken as one, and a status is not recorded any more."""
    kind = BY_API_VERSION_KIND[data["apiVersion"], data["kind"]]
    node = node_of(kind.message.DESCRIPTOR)
    entries = data["metadata"]["managedFields"]
    theirs = _union(entries, CREATOR, node=node)
    others = reduce(or_, (reconciled(load_fields(text_of(e)), node) for e in entries if e["manager"] != CREATOR), EMPTY)
    new = from_json({**data, "metadata": {**data["metadata"], "managedFields": None}}, strict=False)
    (owned,) = owners_after_update(kind, new, None, Writer(CREATOR, "", 0.0)).values()
    status = FieldSet.of([("f:status",)])
    assert [printed(path) for path in (theirs.without(status) - owned.fields).paths()] == []
    assert {printed(path) for path in (owned.fields - theirs - others).paths()} <= ADMITTED | {".metadata.annotations"}


def _union(entries: list[dict[str, Any]], manager: str, *, node: Any) -> FieldSet:
    sets = (reconciled(load_fields(text_of(entry)), node) for entry in entries if entry["manager"] == manager)
    return reduce(or_, sets, EMPTY)
