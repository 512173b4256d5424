"""JSON merge patch, RFC 7386: members are merged, null removes, anything else replaces."""

from __future__ import annotations

from rollplane_machinery.patch.json_value import Json


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
