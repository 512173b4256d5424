"""Writes to objects that are shown in another API version than the stored one.

The plane knows the storage version alone, so a patch is made here: to what the client sees, put back as an update of
exactly what was read. Somebody else's write in between makes it anew, unless the patch itself names a version.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import unsupported_media_type
from rollplane_gateway.verbs.writing import check_name, place_in_namespace
from rollplane_machinery.api import Patch, PatchType, Update, UpdateStatus, WriteResult
from rollplane_machinery.codec import read_sent
from rollplane_machinery.dresses import Dress, dress_of
from rollplane_machinery.errors import BadRequestError, ConflictError, UnsupportedError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.patch.apply import patched

MAX_TRIES = 5


def dress_for(call: Call) -> Dress | None:
    """Return how the client's version shows the target; None where it is the stored one."""
    return dress_of(call.target.kind, call.target.api_version)


async def patched_through(call: Call, write: Patch, dress: Dress) -> WriteResult:
    """Carry out a patch of what ``dress`` shows; raises what refuses it, RefusedError (415) for an apply."""
    if write.type is PatchType.APPLY:
        return await _applied(call, write, dress)
    if write.subresource not in ("", "status"):
        raise UnsupportedError(f"{write.key.kind.resource} has no subresource {write.subresource!r} in this version")
    document = _untyped(write, dress)
    for _ in range(MAX_TRIES - 1):
        try:
            return await _once(call, write, document, dress)
        except ConflictError:
            if b"resourceVersion" in document:
                raise
    return await _once(call, write, document, dress)


async def _applied(call: Call, write: Patch, dress: Dress) -> WriteResult:
    """Apply what is said in this version in the storage version, whose fields have owners."""
    if dress.configuration is None:
        raise unsupported_media_type(
            f"{dress.api_version} cannot be applied on the server's side: use the newer version"
        )
    document = read_sent(write.patch, is_yaml=True).value
    if not isinstance(document, dict) or document.get("apiVersion") != dress.api_version:
        raise BadRequestError(f"a configuration of {dress.api_version} is wanted")
    changed = orjson.dumps(dress.configuration(document))
    return await call.backend.api.write(replace(write, patch=changed))


async def _once(call: Call, write: Patch, document: bytes, dress: Dress) -> WriteResult:
    stored = (await call.backend.api.get(write.key)).parse()
    changed = patched(dress.put_on(stored), write.type, document, write.options.field_validation)
    taken_off = dress.take_off(changed.message)
    check_name(call, taken_off.metadata)
    place_in_namespace(call, taken_off.metadata)
    new = Encoded.of(taken_off)
    result = await call.backend.api.write(_put(write, new))
    return result if not changed.warnings else _warned(result, changed.warnings)


def _put(write: Patch, new: Encoded) -> Update | UpdateStatus:
    return (UpdateStatus if write.subresource else Update)(new, write.options)


def _warned(result: WriteResult, warnings: tuple[str, ...]) -> WriteResult:
    return WriteResult(result.revision, result.object, warnings=(*result.warnings, *warnings))


def _untyped(write: Patch, dress: Dress) -> bytes:
    """Return the patch without the type that it may repeat: messages know it by their storage version."""
    if write.type is PatchType.JSON:
        return write.patch
    try:
        document = orjson.loads(write.patch)
    except orjson.JSONDecodeError:
        return write.patch  # YAML, or nothing at all: the patch itself will tell
    if not isinstance(document, dict) or document.get("apiVersion") != dress.api_version:
        return write.patch
    return orjson.dumps({name: value for name, value in document.items() if name not in ("apiVersion", "kind")})
