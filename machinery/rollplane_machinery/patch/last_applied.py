"""What ``apply`` remembers on an object, and the patch that brings a live object to a manifest.

Source: kubernetes/kubectl pkg/util/apply.go, pkg/cmd/apply/patcher.go.
"""

from __future__ import annotations

import json
from typing import Any

from rollplane_machinery.codec import Manifest, to_json
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.patch.three_way import three_way_merge
from rollplane_machinery.well_known import LAST_APPLIED


def remembered(manifest: Manifest) -> str:
    """Return what LAST_APPLIED is to hold: what was written, as compact JSON, sorted, with a line break at its end.

    Nulls and empty objects are kept; the annotation itself is left out; the namespace is the object's.
    """
    return json.dumps(_placed(manifest), ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n"


def annotate(manifest: Manifest) -> None:
    """Write onto the manifest's object what the manifest says."""
    manifest.object.metadata.annotations[LAST_APPLIED] = remembered(manifest)


def apply_patch(manifest: Manifest, live: ApiObject) -> dict[str, Any]:
    """Return the strategic merge patch that brings ``live`` to ``manifest``; empty for none.

    What the last applied manifest said and this one no longer says is removed, and so is whatever this one says is
    null. Raises BadRequestError when the annotation on ``live`` is no JSON object.
    """
    return three_way_merge(_original(live), _modified(manifest), to_json(live))


def was_applied(live: ApiObject) -> bool:
    """Whether an earlier ``apply`` left its mark."""
    return LAST_APPLIED in live.metadata.annotations


def _placed(manifest: Manifest) -> dict[str, Any]:
    """What was written, in the namespace where it goes, and without the mark."""
    metadata = dict(manifest.written.get("metadata") or {})
    metadata.pop("namespace", None)
    if namespace := manifest.object.metadata.namespace:
        metadata["namespace"] = namespace
    annotations = metadata.get("annotations")
    metadata["annotations"] = {name: value for name, value in (annotations or {}).items() if name != LAST_APPLIED}
    return {**manifest.written, "metadata": metadata}


def _modified(manifest: Manifest) -> dict[str, Any]:
    """What is wanted, in the form in which the server prints it, with the mark; without what only the server writes."""
    modified: dict[str, Any] = _printed(to_json(manifest.object), _placed(manifest))
    modified.pop("status", None)
    metadata = modified["metadata"]
    if metadata.get("creationTimestamp") is None:
        metadata.pop("creationTimestamp", None)
    metadata["annotations"][LAST_APPLIED] = remembered(manifest)
    return modified


def _printed(printed: Any, written: Any) -> Any:
    """What was ``written``, where it has a value as it is ``printed`` ("500m" for 0.5)."""
    if isinstance(printed, dict) and isinstance(written, dict):
        return {name: _printed(printed.get(name), member) for name, member in written.items()}
    if isinstance(printed, list) and isinstance(written, list) and len(printed) == len(written):
        return [_printed(*pair) for pair in zip(printed, written, strict=True)]
    return written if printed is None or written is None else printed


def _original(live: ApiObject) -> dict[str, Any] | None:
    if not was_applied(live):
        return None
    try:
        data = json.loads(live.metadata.annotations[LAST_APPLIED])
    except ValueError as exc:
        raise BadRequestError(f"the annotation {LAST_APPLIED} on the live object is not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise BadRequestError(f"the annotation {LAST_APPLIED} on the live object is no JSON object")
    data.pop("status", None)
    return data
