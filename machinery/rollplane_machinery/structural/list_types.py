"""Items of sets are unique, and so are the keys of items of maps.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rollplane_machinery.errors import Cause
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import duplicate, invalid, shown
from rollplane_machinery.structural.schema import Structural
from rollplane_machinery.structural.walks import Look


def look_at_lists(node: Structural) -> Look | None:
    """Return what looks at lists of ``node``, None for those that may hold anything twice."""
    if node.list_type == "set":
        return _set
    return _map(node.map_keys) if node.list_type == "map" else None


def _set(value: Json, path: str) -> Sequence[Cause]:
    return list(_duplicates(value, path)) if isinstance(value, list) else ()


def _duplicates(items: Sequence[Json], path: str) -> Iterator[Cause]:
    """One cause for whatever stands there more than once, at its second place."""
    seen: Counter[str] = Counter()
    for index, item in enumerate(items):
        seen[text := shown(item)] += 1
        if seen[text] == 2:
            yield duplicate(f"{path}[{index}]", item)


def _map(keys: Sequence[str]) -> Look:
    def look(value: Json, path: str) -> Sequence[Cause]:
        if not isinstance(value, list):
            return ()
        for index, item in enumerate(value):
            if item is not None and not isinstance(item, dict):
                return [invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")]
        return list(_duplicates([_keys(item, keys) for item in value], path))

    return look


def _keys(item: Json, keys: Sequence[str]) -> Json:
    return {key: item[key] for key in keys if key in item} if isinstance(item, dict) else {}
