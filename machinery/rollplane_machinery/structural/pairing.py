"""Which item of a list stands for which of the list before: the one with the same keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import shown


def paired_by_keys(keys: Sequence[str], old: Sequence[Json]) -> Callable[[Json], Json]:
    """Return what finds the item of ``old`` with the same ``keys``; None where there is none."""

    def keys_of(item: Json) -> str:
        return shown([item.get(key) for key in keys] if isinstance(item, dict) else None)

    by_keys = {keys_of(item): item for item in old}
    return lambda item: by_keys.get(keys_of(item))
