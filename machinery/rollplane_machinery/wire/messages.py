"""ObjectService's requests and answers: ``api.py``'s dataclasses to messages of rollplane.api.v1, and back.

``encode_*`` makes messages, ``decode_*`` reads them; decoding what was encoded gives the same value again. Objects are
passed on as bytes, unparsed. Whatever came from outside may be anything: ``decode_*`` of a request raises
BadRequestError (NotFoundError for an unknown resource), ``encode_*`` raises BadRequestError for a value that no message
can hold, such as a number beyond its field's width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from types import MappingProxyType
from typing import ParamSpec, TypeVar

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    NO_PRECONDITIONS,
    Bind,
    Create,
    Delete,
    DeleteCollection,
    DeletedCollection,
    EventType,
    Evict,
    Fence,
    Key,
    ListQuery,
    Page,
    Patch,
    PatchType,
    Preconditions,
    Propagation,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.errors import BadRequestError, RollplaneError
from rollplane_machinery.kinds import POD, Encoded, by_resource
from rollplane_machinery.wire.status import decode_error, encode_error

MAX_MESSAGE_BYTES = 3 * 1024 * 1024
"""Where answers are cut: any client's default limit is 4 MiB."""

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

_P = ParamSpec("_P")
_T = TypeVar("_T")
_M = TypeVar("_M", bound=Message)

_EVENT_FRAME_BYTES = 128  # what an event takes beside its object: type, revision, type URL, lengths

_PATCH_TYPES: Mapping[PatchType, pb.PatchRequest.Type.ValueType] = MappingProxyType(
    {
        PatchType.JSON: pb.PatchRequest.TYPE_JSON,
        PatchType.MERGE: pb.PatchRequest.TYPE_MERGE,
        PatchType.STRATEGIC_MERGE: pb.PatchRequest.TYPE_STRATEGIC_MERGE,
    }
)
_PATCH_TYPE_OF = MappingProxyType({number: value for value, number in _PATCH_TYPES.items()})
_PROPAGATIONS: Mapping[Propagation | None, pb.DeleteRequest.PropagationPolicy.ValueType] = MappingProxyType(
    {
        None: pb.DeleteRequest.PROPAGATION_POLICY_UNSPECIFIED,
        Propagation.BACKGROUND: pb.DeleteRequest.PROPAGATION_POLICY_BACKGROUND,
        Propagation.FOREGROUND: pb.DeleteRequest.PROPAGATION_POLICY_FOREGROUND,
        Propagation.ORPHAN: pb.DeleteRequest.PROPAGATION_POLICY_ORPHAN,
    }
)
_PROPAGATION_OF = MappingProxyType({number: value for value, number in _PROPAGATIONS.items()})
_EVENT_TYPES: Mapping[EventType, pb.WatchEvent.Type.ValueType] = MappingProxyType(
    {
        EventType.ADDED: pb.WatchEvent.TYPE_ADDED,
        EventType.MODIFIED: pb.WatchEvent.TYPE_MODIFIED,
        EventType.DELETED: pb.WatchEvent.TYPE_DELETED,
    }
)
_EVENT_TYPE_OF = MappingProxyType({number: value for value, number in _EVENT_TYPES.items()})


def encoder(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Wrap an encoder so that a value no message can hold raises BadRequestError."""

    @wraps(function)
    def encode(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except (ValueError, TypeError) as exc:  # a number too wide, text that is not UTF-8, a wrong type
            raise BadRequestError(f"cannot be sent: {exc}") from exc

    return encode


def parse(message_type: type[_M], data: bytes) -> _M:
    """Return the message in ``data``; raises BadRequestError when it is not one."""
    message = message_type()
    try:
        message.MergeFromString(data)
    except Exception as exc:  # protobuf raises DecodeError, and on some inputs RuntimeError
        raise BadRequestError(f"not a {message_type.DESCRIPTOR.name}: {exc}") from exc
    return message


# Keys, options, preconditions


@encoder
def encode_key(key: Key) -> pb.ObjectKey:
    """Return ``key`` as a message."""
    return pb.ObjectKey(resource=key.kind.resource, namespace=key.namespace, name=key.name)


def decode_key(message: pb.ObjectKey) -> Key:
    """Return the key; raises NotFoundError for an unknown resource."""
    return Key(by_resource(message.resource), message.namespace, message.name)


@encoder
def encode_fence(fence: Fence) -> pb.Fence:
    """Return ``fence`` as a message."""
    return pb.Fence(shard=fence.shard, epoch=fence.epoch)


def decode_fence(message: pb.Fence) -> Fence:
    """Return the fence."""
    return Fence(message.shard, message.epoch)


def encode_options(options: WriteOptions) -> pb.WriteOptions | None:
    """Return ``options`` as a message, None for the default ones, which are not sent."""
    if options == DEFAULT_OPTIONS:
        return None
    return pb.WriteOptions(
        field_manager=options.field_manager,
        dry_run=options.dry_run,
        fence=None if options.fence is None else encode_fence(options.fence),
        omit_object=options.omit_object,
    )


def decode_options(message: pb.WriteOptions) -> WriteOptions:
    """Return the options; an absent message is all defaults."""
    fence = decode_fence(message.fence) if message.HasField("fence") else None
    return WriteOptions(message.field_manager, message.dry_run, fence, message.omit_object)


def encode_preconditions(preconditions: Preconditions) -> pb.Preconditions | None:
    """Return ``preconditions`` as a message, None when nothing is asked for."""
    if preconditions == NO_PRECONDITIONS:
        return None
    return pb.Preconditions(uid=preconditions.uid, resource_version=preconditions.resource_version)


def decode_preconditions(message: pb.Preconditions) -> Preconditions:
    """Return the preconditions; an absent message asks for nothing."""
    return Preconditions(
        message.uid if message.HasField("uid") else None,
        message.resource_version if message.HasField("resource_version") else None,
    )


def decode_object(message: Any) -> Encoded:
    """Return the object an Any holds, unparsed; raises BadRequestError when it holds none or no kind."""
    if not message.type_url:
        raise BadRequestError("the request holds no object")
    return Encoded.from_any(message)


# Writes


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
                propagation_policy=_PROPAGATIONS[write.propagation],
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
        _grace_period(request),
        _propagation(request.propagation_policy),
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
    return Evict(key, _grace_period(request), preconditions, decode_options(request.options), group)


def _grace_period(request: pb.DeleteRequest | pb.EvictRequest | pb.DeleteCollectionRequest) -> int | None:
    return request.grace_period_seconds if request.HasField("grace_period_seconds") else None


def _propagation(number: pb.DeleteRequest.PropagationPolicy.ValueType) -> Propagation | None:
    try:
        return _PROPAGATION_OF[number]
    except KeyError:
        raise BadRequestError(f"unknown propagation policy {number}") from None


# Batches


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


def decode_batch(request: pb.BatchWriteRequest) -> list[Write | RollplaneError]:
    """Return the writes in order; one that cannot be read is its error, and harms no other."""
    return [_item_or_error(item) for item in request.writes]


def _item_or_error(item: pb.Write) -> Write | RollplaneError:
    try:
        return decode_item(item)
    except RollplaneError as error:
        return error


def encode_result(result: WriteResult) -> pb.WriteResult:
    """Return one write's result as a message."""
    packed = None if result.object is None else result.object.to_any()
    return pb.WriteResult(revision=result.revision, object=packed, removed=result.removed)


def decode_result(message: pb.WriteResult) -> WriteResult:
    """Return one write's result."""
    stored = decode_object(message.object) if message.HasField("object") else None
    return WriteResult(message.revision, stored, message.removed)


def encode_batch_results(results: Sequence[WriteResult | RollplaneError]) -> pb.BatchWriteResponse:
    """Return a batch's results in order, failures as google.rpc.Status."""
    return pb.BatchWriteResponse(
        results=[
            pb.WriteResult(error=encode_error(result)) if isinstance(result, RollplaneError) else encode_result(result)
            for result in results
        ]
    )


def decode_batch_results(response: pb.BatchWriteResponse) -> list[WriteResult | RollplaneError]:
    """Return a batch's results in order, failures as values."""
    return [
        decode_error(message.error) if message.HasField("error") else decode_result(message)
        for message in response.results
    ]


# Collections, reads, lists


@encoder
def encode_delete_collection(request: DeleteCollection) -> pb.DeleteCollectionRequest:
    """Return the request of one DeleteCollection."""
    return pb.DeleteCollectionRequest(
        resource=request.kind.resource,
        namespace=request.namespace,
        label_selector=request.label_selector,
        field_selector=request.field_selector,
        grace_period_seconds=request.grace_period_seconds,
        propagation_policy=_PROPAGATIONS[request.propagation],
        options=encode_options(request.options),
    )


def decode_delete_collection(message: pb.DeleteCollectionRequest) -> DeleteCollection:
    """Return what is to be deleted."""
    return DeleteCollection(
        by_resource(message.resource),
        message.namespace,
        message.label_selector,
        message.field_selector,
        _grace_period(message),
        _propagation(message.propagation_policy),
        decode_options(message.options),
    )


def encode_deleted_collection(deleted: DeletedCollection) -> pb.DeleteCollectionResponse:
    """Return the answer of one DeleteCollection."""
    return pb.DeleteCollectionResponse(deleted=deleted.deleted, revision=deleted.revision)


def decode_deleted_collection(message: pb.DeleteCollectionResponse) -> DeletedCollection:
    """Return what was deleted."""
    return DeletedCollection(message.deleted, message.revision)


@encoder
def encode_list(query: ListQuery) -> pb.ListRequest:
    """Return the request of one page."""
    return pb.ListRequest(
        resource=query.kind.resource,
        namespace=query.namespace,
        label_selector=query.label_selector,
        field_selector=query.field_selector,
        limit=query.limit,
        continue_token=query.continue_token,
        min_revision=query.min_revision,
    )


def decode_list(message: pb.ListRequest) -> ListQuery:
    """Return the page that is asked for."""
    return ListQuery(
        by_resource(message.resource),
        message.namespace,
        message.label_selector,
        message.field_selector,
        message.limit,
        message.continue_token,
        message.min_revision,
    )


def encode_page(page: Page) -> pb.ListResponse:
    """Return one page as a message."""
    return pb.ListResponse(
        objects=[encoded.to_any() for encoded in page.objects],
        revision=page.revision,
        continue_token=page.continue_token,
        remaining_item_count=page.remaining_item_count,
    )


def decode_page(message: pb.ListResponse) -> Page:
    """Return one page."""
    objects = [Encoded.from_any(packed) for packed in message.objects]
    return Page(objects, message.revision, message.continue_token, message.remaining_item_count)


# Watches


@encoder
def encode_watch(query: WatchQuery) -> pb.WatchRequest:
    """Return the request of one watch."""
    return pb.WatchRequest(
        filters=[
            pb.WatchFilter(
                resource=wanted.kind.resource,
                namespaces=wanted.namespaces,
                label_selector=wanted.label_selector,
                field_selector=wanted.field_selector,
                shards=wanted.shards,
            )
            for wanted in query.filters
        ],
        from_revision=query.from_revision,
        send_initial_state=query.send_initial_state,
        metadata_only=query.metadata_only,
    )


def decode_watch(message: pb.WatchRequest) -> WatchQuery:
    """Return the watch that is asked for."""
    filters = tuple(
        WatchFilter(
            by_resource(wanted.resource),
            tuple(wanted.namespaces),
            wanted.label_selector,
            wanted.field_selector,
            tuple(wanted.shards),
        )
        for wanted in message.filters
    )
    return WatchQuery(filters, message.from_revision, message.send_initial_state, message.metadata_only)


def split_watch_batch(batch: WatchBatch, max_bytes: int = MAX_MESSAGE_BYTES) -> Iterator[WatchBatch]:
    """Yield ``batch`` in parts of at most ``max_bytes`` each (one event is never cut), at least one part.

    A part that more follow says how far one may resume from it: its last event's revision, or 0 while the initial
    state is not complete.
    """
    resumable = batch.revision != 0 and not batch.initial_state_complete
    first, size = 0, 0
    for index, event in enumerate(batch.events):
        event_bytes = len(event.object.value) + _EVENT_FRAME_BYTES
        if size + event_bytes > max_bytes and index > first:
            yield WatchBatch(batch.events[first:index], batch.events[index - 1].revision if resumable else 0)
            first, size = index, 0
        size += event_bytes
    yield WatchBatch(batch.events[first:], batch.revision, batch.initial_state_complete) if first else batch


def encode_watch_batch(batch: WatchBatch) -> pb.WatchResponse:
    """Return one message's worth of events."""
    return pb.WatchResponse(
        events=[
            pb.WatchEvent(type=_EVENT_TYPES[event.type], object=event.object.to_any(), revision=event.revision)
            for event in batch.events
        ],
        revision=batch.revision,
        initial_state_complete=batch.initial_state_complete,
    )


def decode_watch_batch(message: pb.WatchResponse) -> WatchBatch:
    """Return one message's events; raises BadRequestError for an event of no known type."""
    return WatchBatch(
        [_decode_event(event) for event in message.events], message.revision, message.initial_state_complete
    )


def _decode_event(message: pb.WatchEvent) -> WatchEvent:
    if (event_type := _EVENT_TYPE_OF.get(message.type)) is None:
        raise BadRequestError(f"unknown watch event type {message.type}")
    return WatchEvent(event_type, Encoded.from_any(message.object), message.revision)
