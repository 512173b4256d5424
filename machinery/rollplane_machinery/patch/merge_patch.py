"""JSON merge patch, RFC 7386: members are merged, null removes, anything else replaces."""

from __future__ import annotations

from rollplane_machinery.patch.json_value import Json, equal


def merge_patch(document: Json, patch: Json) -> Json:
    """Return ``document`` changed as ``patch`` says. Neither is changed; the result shares parts with both."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


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
