"""PATCH of an object, or of its status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

from rollplane_gateway.calls import Call
from rollplane_gateway.negotiation import unsupported_media_type
from rollplane_gateway.options import write_options
from rollplane_gateway.replies import Answer
from rollplane_gateway.statuses import RefusedError
from rollplane_gateway.verbs.answers import object_reply
from rollplane_gateway.verbs.dressed import dress_for, patched_through
from rollplane_gateway.verbs.writing import written
from rollplane_machinery.api import Patch, PatchType, WriteResult
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason, InvalidError
from rollplane_machinery.field_validation import STRICT_CAUSES, strict_sentence

_PATCH_TYPES: Mapping[str, PatchType] = MappingProxyType({each.value: each for each in PatchType})


async def patch(call: Call) -> Answer:
    """Change the object, or its status, by a document; 201 where applying it created the object."""
    result = await patched(call)
    status = HTTPStatus.CREATED if result.created else HTTPStatus.OK
    return object_reply(call, written(result), status, result.warnings)


async def patched(call: Call) -> WriteResult:
    """Carry out the patch that was sent; raises what refuses it, with fields nobody knows told as upstream does."""
    write = patch_of(call)
    dress = dress_for(call)
    try:
        if dress is not None:
            return await patched_through(call, write, dress)
        return await call.backend.api.write(write)
    except BadRequestError as exc:
        if exc.causes and write.type is not PatchType.APPLY:
            raise _leads_to_nothing(write.patch, exc.causes) from exc
        raise


def _leads_to_nothing(document: bytes, causes: Sequence[Cause]) -> InvalidError:
    """Refuse a patch that is one, but of which no object comes."""
    is_strict = STRICT_CAUSES.issuperset(cause.reason for cause in causes)
    why = strict_sentence(causes) if is_strict else "; ".join(map(str, causes))
    cause = Cause(CauseReason.INVALID, "patch", f'Invalid value: "{document.decode(errors="replace")}": {why}')
    return InvalidError(f' "" is invalid: {cause}', causes=[cause])


def patch_of(call: Call) -> Patch:
    """Return the patch that was sent; raises RefusedError (415) for a language nobody reads here."""
    query, options = call.request.query, write_options(call)
    type_ = patch_type(call.request.content_type)
    if type_ is PatchType.STRATEGIC_MERGE and call.target.kind.is_custom:
        raise _unknown_language(each for each in _PATCH_TYPES if each != PatchType.STRATEGIC_MERGE.value)
    if type_ is PatchType.APPLY:
        options = replace(options, field_manager=query.text("fieldManager"))  # an applier must name itself
    return Patch(
        call.target.key,
        type_,
        call.request.body,
        call.target.subresource_name,
        options,
        force=query.flag("force"),
    )


def patch_type(content_type: str) -> PatchType:
    """Return the language of a patch."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        return _PATCH_TYPES[media]
    except KeyError:
        raise _unknown_language(_PATCH_TYPES) from None


def _unknown_language(known: Iterable[str]) -> RefusedError:
    return unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
    )
