"""The recorded patches: each accepted object is patched as the recorder did, with the same code and generation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rollplane_machinery import codec
from rollplane_machinery.api import PatchType
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.patch import apply
from rollplane_machinery.releases import RECORDED
from rollplane_rules.defaults import apply_defaults
from rollplane_rules.strategy import mark_deleted, prepare_update
from rollplane_rules.validation import check_update

CASES: list[dict[str, Any]] = [
    case for case in json.loads(Path("tests/golden/objects.json").read_text())["cases"] if case.get("patches")
]

# Its owner never existed, so the recorded server's garbage collector had marked the object before it was patched.
MARKED = {"owner-and-finalizer"}

# Kubernetes 1.20 compares the content type of raw data too, which a patched object has and a stored one has not: no
# merge patch of a ControllerRevision gets through, not even of its revision. Here only changed data is refused.
OTHERWISE: Mapping[tuple[str, int], int] = {("controllerrevision", 0): 200}

NOW = 1_600_000_000.0


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_code_and_generation(case: dict[str, Any]) -> None:
    stored = codec.from_json(case["json"])
    if case["name"] in MARKED:
        assert mark_deleted(stored, NOW, 0)
    for number, step in enumerate(case["patches"]):
        expected = OTHERWISE.get((case["name"], number), step["code"])
        if expected != 200:
            _refused(stored, step)
            continue
        stored = _patched(stored, step["patch"])
        generation = stored.metadata.generation if stored.metadata.HasField("generation") else None
        assert generation == step.get("generation"), f"after patch {number}"


def _patched(stored: ApiObject, patch: object) -> ApiObject:
    new = apply(stored, PatchType.MERGE, json.dumps(patch).encode())
    apply_defaults(new)
    prepare_update(new, stored, RECORDED)
    check_update(new, stored)
    return new


def _refused(stored: ApiObject, step: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        _patched(stored, step["patch"])
    assert step["code"] == 422
    assert caught.value.reason == step["status"]["reason"]
    expected = {cause["field"] for cause in step["status"]["causes"]}
    assert {cause.field for cause in caught.value.causes} == expected
