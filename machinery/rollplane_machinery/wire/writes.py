"""Writes, one by one and in batches, and their results as messages, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    encode_key,
    encode_options,
    encode_preconditions,
    encode_propagation,
    encoder,
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
    }
)
_PATCH_TYPE_OF = MappingProxyType({number: value for value, number in _PATCH_TYPES.items()})


@encoder
def encode_write(write: Write) -> WriteRequest:
    """Return the request message of one write. Its batch group is not part of it: see ``encode_batch``."""
    options = encode_options(write.options)
    match write:
        case Create():
            return pb.CreateRequest(object=write.object.to_any(), options=options)
        case Update():
            return pb.UpdateRequest(object=write.object.to_any(), options=options)
        case UpdateStatus():
            return pb.UpdateStatusRequest(object=write.object.to_any(), options=options)
        case Patch():
            return pb.PatchRequest(
                key=encode_key(write.key),
                type=_PATCH_TYPES[write.type],
                patch=write.patch,
                subresource=write.subresource,
                options=options,
            )
        case Delete():
            return pb.DeleteRequest(
                key=encode_key(write.key),
                grace_period_seconds=write.grace_period_seconds,
                propagation_policy=encode_propagation(write.propagation),
                preconditions=encode_preconditions(write.preconditions),
                options=options,
            )
        case Bind():
            return pb.BindRequest(
                namespace=write.key.namespace,
                name=write.key.name,
                node_name=write.node_name,
                preconditions=encode_preconditions(write.preconditions),
                options=options,
            )
        case Evict():
            return pb.EvictRequest(
                namespace=write.key.namespace,
                name=write.key.name,
                grace_period_seconds=write.grace_period_seconds,
                preconditions=encode_preconditions(write.preconditions),
                options=options,
            )


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
    return Patch(decode_key(request.key), patch_type, request.patch, request.subresource, options, group)


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
    return pb.BatchWriteRequest(writes=[_encode_item(write) for write in writes])


def _encode_item(write: Write) -> pb.Write:
    request = encode_write(write)
    match request:
        case pb.CreateRequest():
            return pb.Write(create=request, group=write.group)
        case pb.UpdateRequest():
            return pb.Write(update=request, group=write.group)
        case pb.UpdateStatusRequest():
            return pb.Write(update_status=request, group=write.group)
        case pb.PatchRequest():
            return pb.Write(patch=request, group=write.group)
        case pb.DeleteRequest():
            return pb.Write(delete=request, group=write.group)
        case pb.BindRequest():
            return pb.Write(bind=request, group=write.group)
        case pb.EvictRequest():
            return pb.Write(evict=request, group=write.group)


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
    packed = None if result.object is None else result.object.to_any()
    return pb.WriteResult(revision=result.revision, object=packed, removed=result.removed)


def decode_result(message: pb.WriteResult) -> WriteResult:
    """Return one write's result."""
    stored = decode_object(message.object) if message.HasField("object") else None
    return WriteResult(message.revision, stored, message.removed)


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
        left -= 0 if result.object is None else len(result.object.value)
        response.results.append(encode_result(result if left >= 0 else replace(result, object=None)))
    return response


def decode_batch_results(response: pb.BatchWriteResponse) -> list[WriteResult | RollplaneError]:
    """Return a batch's results in order, failures as values."""
    return [
        decode_error(message.error) if message.HasField("error") else decode_result(message)
        for message in response.results
    ]
