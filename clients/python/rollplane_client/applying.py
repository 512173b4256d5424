"""What ``apply`` sends for a manifest: nothing, the object, or the patch that brings what is there to it."""

from __future__ import annotations

import json

from rollplane_machinery.api import Create, Key, ObjectApi, Patch, PatchType, WriteOptions
from rollplane_machinery.codec import Manifest
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.patch.last_applied import annotate, apply_patch


async def live_object(api: ObjectApi, key: Key) -> ApiObject | None:
    """Return the object as it is now, None when it is absent; raises NotFoundError when its namespace is."""
    try:
        return key.kind.parse((await api.get(key)).value)  # a custom object in the version of the manifest
    except NotFoundError as exc:
        if exc.name != key.name:
            raise
        return None


def write_to_apply(
    key: Key, manifest: Manifest, live: ApiObject | None, options: WriteOptions
) -> Create | Patch | None:
    """Return the write that brings ``live`` to ``manifest``, which goes to ``key``; None when it is there already.

    The manifest's object is annotated with what the manifest says. Raises BadRequestError when the annotation on
    ``live`` cannot be read.
    """
    annotate(manifest)
    if live is None:
        return Create(Encoded.of(manifest.object), options)
    patch = apply_patch(manifest, live)
    if not patch:
        return None
    type_ = PatchType.MERGE if key.kind.is_custom else PatchType.STRATEGIC_MERGE
    return Patch(key, type_, json.dumps(patch).encode(), options=options)
