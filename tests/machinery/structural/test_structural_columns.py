from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.structural.json_path import PathError, compile_path
from rollplane_machinery.structural.printer_columns import compile_column

Json = Any
OBJECT: Json = {
    "metadata": {"annotations": {"a.b/c": "x"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {"replicas": 3, "image": "web", "on": True, "weight": 0.5, "list": ["a", "b", "c"], "map": {"k": 1}},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "n": 1},
            {"type": "Synced", "status": "False", "n": 2, "reason": "Late"},
        ]
    },
}
PATHS: dict[str, tuple[str, list[Json]]] = {
    "a member": (".spec.replicas", [3]),
    "nothing": (".spec.nope.more", []),
    "a name with dots": (r".metadata.annotations.a\.b/c", ["x"]),
    "a quoted name": (".metadata.annotations['a.b/c']", ["x"]),
    "a name in double quotes": ('.spec["image"]', ["web"]),
    "an index": (".spec.list[1]", ["b"]),
    "the last": (".spec.list[-1]", ["c"]),
    "out of range": (".spec.list[3]", []),
    "a slice": (".spec.list[1:3]", ["b", "c"]),
    "all items": (".spec.list[*]", ["a", "b", "c"]),
    "all members": (".spec.map.*", [1]),
    "at any depth": ("..reason", ["Late"]),
    "a filter": ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
    "a filter in single quotes": (".status.conditions[?(@.type=='Synced')].status", ["False"]),
    "a filter by number": (".status.conditions[?(@.n>1)].type", ["Synced"]),
    "a filter that differs": ('.status.conditions[?(@.type != "Ready")].type', ["Synced"]),
    "a filter by presence": (".status.conditions[?(@.reason)].type", ["Synced"]),
    "the object": (".", [OBJECT]),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_path(path: str, expected: list[Json]) -> None:
    assert compile_path(path)(OBJECT) == expected


@pytest.mark.parametrize("path", [".spec[", ".spec[?(@.a==)]", "spec", ".spec..", ".a[x]"])
def test_no_path(path: str) -> None:
    with pytest.raises(PathError):
        compile_path(path)


CELLS: dict[str, tuple[str, str, Json]] = {
    "text": ("string", ".spec.image", "web"),
    "a number as text": ("string", ".spec.replicas", "3"),
    "a fraction as text": ("string", ".spec.weight", "0.5"),
    "a bool as text": ("string", ".spec.on", "true"),
    "a list as text": ("string", ".spec.list", '["a","b","c"]'),
    "an integer": ("integer", ".spec.replicas", 3),
    "a fraction as an integer": ("integer", ".spec.weight", 0),
    "text as an integer": ("integer", ".spec.image", None),
    "a number": ("number", ".spec.replicas", 3.0),
    "a bool": ("boolean", ".spec.on", True),
    "text as a bool": ("boolean", ".spec.image", None),
    "a time": ("date", ".metadata.creationTimestamp", "2026-01-01T00:00:00Z"),
    "the first of several": ("string", ".status.conditions[*].type", "Ready"),
    "nothing": ("string", ".spec.nope", None),
}


@pytest.mark.parametrize(("kind", "path", "expected"), CELLS.values(), ids=CELLS)
def test_cell(kind: str, path: str, expected: Json) -> None:
    read = compile_column(kind, path)
    assert read is not None
    assert read(OBJECT) == expected


def test_a_column_whose_path_is_none() -> None:
    assert compile_column("string", ".spec[") is None
