"""Writes, one by one and in batches, and their results as messages, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rollplane.api import v1 as pb
from rollplane_machinery.api import (
    MAX_BATCH_WRITES,
    Bind,
    Create,
    Delete,
    Evict,
    Key,
    Patch,
    PatchType,
    Unreadable,
    Update,
    UpdateStatus,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import BadRequestError, RequestTooLargeError, RollplaneError
from rollplane_machinery.kinds import POD
from rollplane_machinery.wire.parts import (
    decode_grace_period,
    decode_key,
    decode_object,
    decode_options,
    decode_preconditions,
    decode_propagation,
    encode_propagation,
    encoder,
    put_grace_period,
    put_key,
    put_object,
    put_options,
    put_preconditions,
)
from rollplane_machinery.wire.reads import MAX_MESSAGE_BYTES
from rollplane_machinery.wire.status import decode_error, encode_error, shorten_error

WriteRequest = (
    pb.CreateRequest
    | pb.UpdateRequest
    | pb.UpdateStatusRequest
    | pb.PatchRequest
    | pb.DeleteRequest
    | pb.BindRequest
    | pb.EvictRequest
)
"""The request message of one write, also the item of a batch."""

_PATCH_TYPES: Mapping[PatchType, pb.PatchRequest.Type.ValueType] = MappingProxyType(
    {
        PatchType.JSON: pb.PatchRequest.TYPE_JSON,
        PatchType.MERGE: pb.PatchRequest.TYPE_MERGE,
        PatchType.STRATEGIC_MERGE: pb.PatchRequest.TYPE_STRATEGIC_MERGE,
        PatchType.APPLY: pb.PatchRequest.TYPE_APPLY,
    }
)
_PATCH_TYPE_OF = MappingProxyType({number: value for value, number in _PATCH_TYPES.items()})


@encoder
def encode_write(write: Write) -> WriteRequest:
    """Return the request message of one write. Its batch group is not part of it: see ``encode_batch``."""
    return _put_write(pb.Write(), write)


def _put_write(item: pb.Write, write: Write) -> WriteRequest:
    """Make ``item`` the one of ``write``, and return the request in it."""
    request: WriteRequest
    match write:
        case Create():
            request = item.create
            put_object(request.object, write.object)
        case Update():
            request = item.update
            put_object(request.object, write.object)
        case UpdateStatus():
            request = item.update_status
            put_object(request.object, write.object)
        case Patch():
            request = item.patch
            put_key(request.key, write.key)
            request.type, request.patch, request.subresource = _PATCH_TYPES[write.type], write.patch, write.subresource
            request.force = write.force
        case Delete():
            request = item.delete
            put_key(request.key, write.key)
            put_grace_period(request, write.grace_period_seconds)
            request.propagation_policy = encode_propagation(write.propagation)
            put_preconditions(request.preconditions, write.preconditions)
        case Bind():
            request = item.bind
            request.namespace, request.name, request.node_name = write.key.namespace, write.key.name, write.node_name
            put_preconditions(request.preconditions, write.preconditions)
        case Evict():
            request = item.evict
            request.namespace, request.name = write.key.namespace, write.key.name
            put_grace_period(request, write.grace_period_seconds)
            put_preconditions(request.preconditions, write.preconditions)
    put_options(request.options, write.options)
    return request


def decode_create(request: pb.CreateRequest, group: str = "") -> Create:
    """Return the create that was asked for."""
    return Create(decode_object(request.object), decode_options(request.options), group)


def decode_update(request: pb.UpdateRequest, group: str = "") -> Update:
    """Return the update that was asked for."""
    return Update(decode_object(request.object), decode_options(request.options), group)


def decode_update_status(request: pb.UpdateStatusRequest, group: str = "") -> UpdateStatus:
    """Return the status update that was asked for."""
    return UpdateStatus(decode_object(request.object), decode_options(request.options), group)


def decode_patch(request: pb.PatchRequest, group: str = "") -> Patch:
    """Return the patch that was asked for; raises BadRequestError for an unknown patch type."""
    if (patch_type := _PATCH_TYPE_OF.get(request.type)) is None:
        raise BadRequestError(f"unknown patch type {request.type}")
    options = decode_options(request.options)
    key = decode_key(request.key)
    return Patch(key, patch_type, request.patch, request.subresource, options, group, request.force)


def decode_delete(request: pb.DeleteRequest, group: str = "") -> Delete:
    """Return the deletion that was asked for; raises BadRequestError for an unknown propagation policy."""
    return Delete(
        decode_key(request.key),
        decode_grace_period(request),
        decode_propagation(request.propagation_policy),
        decode_preconditions(request.preconditions),
        decode_options(request.options),
        group,
    )


def decode_bind(request: pb.BindRequest, group: str = "") -> Bind:
    """Return the binding that was asked for."""
    preconditions = decode_preconditions(request.preconditions)
    key = Key(POD, request.namespace, request.name)
    return Bind(key, request.node_name, preconditions, decode_options(request.options), group)


def decode_evict(request: pb.EvictRequest, group: str = "") -> Evict:
    """Return the eviction that was asked for."""
    preconditions = decode_preconditions(request.preconditions)
    key = Key(POD, request.namespace, request.name)
    return Evict(key, decode_grace_period(request), preconditions, decode_options(request.options), group)


@encoder
def encode_batch(writes: Sequence[Write]) -> pb.BatchWriteRequest:
    """Return the request of one batch."""
    request = pb.BatchWriteRequest()
    for write in writes:
        _put_write(request.writes.add(group=write.group), write)
    return request


def decode_item(item: pb.Write) -> Write:
    """Return one write of a batch; raises BadRequestError when it has no verb."""
    match item.WhichOneof("verb"):
        case "create":
            return decode_create(item.create, item.group)
        case "update":
            return decode_update(item.update, item.group)
        case "update_status":
            return decode_update_status(item.update_status, item.group)
        case "patch":
            return decode_patch(item.patch, item.group)
        case "delete":
            return decode_delete(item.delete, item.group)
        case "bind":
            return decode_bind(item.bind, item.group)
        case "evict":
            return decode_evict(item.evict, item.group)
        case None:
            raise BadRequestError("the write has no verb")


def decode_batch(request: pb.BatchWriteRequest) -> list[Write | Unreadable]:
    """Return the writes in order; one that cannot be read keeps its place.

    Raises RequestTooLargeError for more than MAX_BATCH_WRITES, before any of them is looked at.
    """
    if len(request.writes) > MAX_BATCH_WRITES:
        raise RequestTooLargeError(f"{len(request.writes)} writes in a batch, at most {MAX_BATCH_WRITES} are taken")
    return [_decode_or_refuse(item) for item in request.writes]


def _decode_or_refuse(item: pb.Write) -> Write | Unreadable:
    try:
        return decode_item(item)
    except RollplaneError as error:
        return Unreadable(error, item.group)


def encode_result(result: WriteResult) -> pb.WriteResult:
    """Return one write's result as a message."""
    message = pb.WriteResult(
        revision=result.revision, removed=result.removed, created=result.created, warnings=result.warnings
    )
    if result.object is not None:
        put_object(message.object, result.object)
    return message


def decode_result(message: pb.WriteResult) -> WriteResult:
    """Return one write's result."""
    stored = decode_object(message.object) if message.HasField("object") else None
    return WriteResult(message.revision, stored, message.removed, message.created, tuple(message.warnings))


def encode_batch_results(
    results: Sequence[WriteResult | RollplaneError], object_bytes: int = MAX_MESSAGE_BYTES
) -> pb.BatchWriteResponse:
    """Return a batch's results in order, failures as google.rpc.Status.

    What was written has been written, whatever the answer weighs: objects beyond ``object_bytes`` altogether are left
    out of it, and errors are cut as those of single calls.
    """
    response = pb.BatchWriteResponse()
    left = object_bytes
    for result in results:
        if isinstance(result, RollplaneError):
            response.results.add(error=encode_error(shorten_error(result)))
            continue
        message = response.results.add(
            revision=result.revision, removed=result.removed, created=result.created, warnings=result.warnings
        )
        if result.object is not None and (left := left - len(result.object.value)) >= 0:
            put_object(message.object, result.object)
    return response


def decode_batch_results(response: pb.BatchWriteResponse) -> list[WriteResult | RollplaneError]:
    """Return a batch's results in order, failures as values."""
    return [
        decode_error(message.error) if message.HasField("error") else decode_result(message)
        for message in response.results
    ]
