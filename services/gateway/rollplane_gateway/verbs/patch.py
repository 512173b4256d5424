"""PATCH of an object, or of its status."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import unsupported_media_type
from rollplane_gateway.options import write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.verbs.answers import object_reply
from rollplane_gateway.verbs.writing import written
from rollplane_machinery.api import Patch, PatchType

_PATCH_TYPES: Mapping[str, PatchType] = MappingProxyType({each.value: each for each in PatchType})


async def patch(call: Call) -> Answer:
    """Change the object, or its status, by a document."""
    result = await call.backend.api.write(patch_of(call))
    return object_reply(call, written(result))


def patch_of(call: Call) -> Patch:
    """Return the patch that was sent; raises RefusedError (415) for a language nobody reads here."""
    return Patch(
        call.target.key,
        patch_type(call.request.content_type),
        call.request.body,
        call.target.subresource_name,
        write_options(call),
    )


def patch_type(content_type: str) -> PatchType:
    """Return the language of a patch."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        return _PATCH_TYPES[media]
    except KeyError:
        known = ", ".join(_PATCH_TYPES)
        message = f"the body of the request was in an unknown format - accepted media types include: {known}"
        raise unsupported_media_type(message) from None
