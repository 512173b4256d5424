"""A manifest as the JSON that ``apply`` remembers on the object, and the patch it makes of it."""

from __future__ import annotations

import json
from typing import Any

from rollplane_machinery.codec import to_json
from rollplane_machinery.deployments import LAST_APPLIED
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.patch import three_way_merge

_PRINTED_WHEN_EMPTY = frozenset({"status", "strategy", "updateStrategy", "resources"})
"""Members the codec prints although no manifest says them."""


def remembered(message: ApiObject) -> str:
    """Return what LAST_APPLIED is to hold for ``message``: compact JSON, sorted, with a line break at its end.

    The annotation itself and the status are left out.
    """
    data = _pruned(to_json(message))
    data.pop("status", None)
    data["metadata"].setdefault("annotations", {}).pop(LAST_APPLIED, None)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def annotate(message: ApiObject) -> None:
    """Write onto ``message`` what it says itself."""
    message.metadata.annotations.pop(LAST_APPLIED, None)
    message.metadata.annotations[LAST_APPLIED] = remembered(message)


def apply_patch(manifest: ApiObject, live: ApiObject) -> dict[str, Any]:
    """Return the strategic merge patch that brings ``live`` to ``manifest`` (already annotated); empty for none.

    What the last applied manifest said and this one no longer says is removed. Raises BadRequestError when the
    annotation on ``live`` is no JSON object.
    """
    modified = _pruned(to_json(manifest))
    modified.pop("status", None)
    return three_way_merge(_original(live), modified, to_json(live))


def edit_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Return the strategic merge patch that makes ``after`` of ``before``, both JSON of one object."""
    return three_way_merge(before, after, before)


def was_applied(live: ApiObject) -> bool:
    """Whether an earlier ``apply`` left its mark."""
    return LAST_APPLIED in live.metadata.annotations


def _original(live: ApiObject) -> dict[str, Any] | None:
    if not was_applied(live):
        return None
    try:
        data = json.loads(live.metadata.annotations[LAST_APPLIED])
    except ValueError as exc:
        raise BadRequestError(f"the annotation {LAST_APPLIED} on the live object is not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise BadRequestError(f"the annotation {LAST_APPLIED} on the live object is no JSON object")
    return data


def _pruned(value: Any) -> Any:
    """``value`` without nulls, and without what the codec prints for nothing."""
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    if not isinstance(value, dict):
        return value
    pruned = {name: _pruned(member) for name, member in value.items() if member is not None}
    return {name: member for name, member in pruned.items() if member != {} or name not in _PRINTED_WHEN_EMPTY}
