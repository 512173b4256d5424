"""The merge patch between two documents, the reverse of applying one."""

from __future__ import annotations

from rollplane_machinery.patch.json_value import Json, equal


def merge_diff(document: Json, wanted: Json) -> Json:
    """Return the merge patch that turns ``document`` into ``wanted``, which must hold no null in an object."""
    if not isinstance(document, dict) or not isinstance(wanted, dict):
        return wanted
    patch: dict[str, Json] = dict.fromkeys(document.keys() - wanted.keys())
    for name, value in wanted.items():
        present = document.get(name)
        if name not in document or not equal(present, value):
            patch[name] = merge_diff(present, value)
    return patch
