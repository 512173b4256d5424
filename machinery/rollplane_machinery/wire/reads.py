"""Lists, watches and deletions of collections as messages, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rollplane.api import v1 as pb
from rollplane_machinery.api import (
    MAX_FILTERS,
    DeleteCollection,
    DeletedCollection,
    EventType,
    ListQuery,
    Page,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
)
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded, by_resource
from rollplane_machinery.wire.parts import (
    decode_grace_period,
    decode_options,
    decode_propagation,
    encode_options,
    encode_propagation,
    encoder,
    put_object,
)

MAX_MESSAGE_BYTES = 3 * 1024 * 1024
"""Where answers are cut: any client's default limit is 4 MiB."""

_EVENT_FRAME_BYTES = 128  # what an event takes beside its object: type, revision, type URL, lengths

_EVENT_TYPES: Mapping[EventType, pb.WatchEvent.Type.ValueType] = MappingProxyType(
    {
        EventType.ADDED: pb.WatchEvent.TYPE_ADDED,
        EventType.MODIFIED: pb.WatchEvent.TYPE_MODIFIED,
        EventType.DELETED: pb.WatchEvent.TYPE_DELETED,
    }
)
_EVENT_TYPE_OF = MappingProxyType({number: value for value, number in _EVENT_TYPES.items()})


@encoder
def encode_delete_collection(request: DeleteCollection) -> pb.DeleteCollectionRequest:
    """Return the request of one DeleteCollection."""
    return pb.DeleteCollectionRequest(
        resource=request.kind.resource,
        namespace=request.namespace,
        label_selector=request.label_selector,
        field_selector=request.field_selector,
        grace_period_seconds=request.grace_period_seconds,
        propagation_policy=encode_propagation(request.propagation),
        options=encode_options(request.options),
    )


def decode_delete_collection(message: pb.DeleteCollectionRequest) -> DeleteCollection:
    """Return what is to be deleted."""
    return DeleteCollection(
        by_resource(message.resource),
        message.namespace,
        message.label_selector,
        message.field_selector,
        decode_grace_period(message),
        decode_propagation(message.propagation_policy),
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
        exact_revision=query.exact_revision,
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
        message.exact_revision,
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
                metadata_only=wanted.metadata_only,
            )
            for wanted in query.filters
        ],
        from_revision=query.from_revision,
        send_initial_state=query.send_initial_state,
    )


def decode_watch(message: pb.WatchRequest) -> WatchQuery:
    """Return the watch that is asked for; raises BadRequestError for more filters, or more in one, than are taken."""
    _check_filters(message)
    filters = tuple(
        WatchFilter(
            by_resource(wanted.resource),
            tuple(wanted.namespaces),
            wanted.label_selector,
            wanted.field_selector,
            tuple(wanted.shards),
            wanted.metadata_only,
        )
        for wanted in message.filters
    )
    return WatchQuery(filters, message.from_revision, message.send_initial_state)


def _check_filters(message: pb.WatchRequest) -> None:
    counts = {
        "filters": len(message.filters),
        "namespaces in a filter": max((len(wanted.namespaces) for wanted in message.filters[:MAX_FILTERS]), default=0),
        "shards in a filter": max((len(wanted.shards) for wanted in message.filters[:MAX_FILTERS]), default=0),
    }
    for what, count in counts.items():
        if count > MAX_FILTERS:
            raise BadRequestError(f"a watch with {count} {what}, at most {MAX_FILTERS} are taken")


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
    response = pb.WatchResponse(revision=batch.revision, initial_state_complete=batch.initial_state_complete)
    for event in batch.events:
        message = response.events.add(type=_EVENT_TYPES[event.type], revision=event.revision)
        put_object(message.object, event.object)
    return response


def decode_watch_batch(message: pb.WatchResponse) -> WatchBatch:
    """Return one message's events; raises BadRequestError for an event of no known type."""
    return WatchBatch(
        [_decode_event(event) for event in message.events], message.revision, message.initial_state_complete
    )


def _decode_event(message: pb.WatchEvent) -> WatchEvent:
    if (event_type := _EVENT_TYPE_OF.get(message.type)) is None:
        raise BadRequestError(f"unknown watch event type {message.type}")
    return WatchEvent(event_type, Encoded.from_any(message.object), message.revision)
