"""ObjectService: each method reads its request, asks the Api, and writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane_apiserver.core import Identity
from rollplane_apiserver.rpc.calls import Service, Streaming, Unary
from rollplane_apiserver.rpc.frames import Frames
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Key, ObjectApi, Unreadable, Write, WriteResult
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.wire import parts, reads, writes

R = TypeVar("R", bound=Message)

NAME = "rollplane.api.v1.ObjectService"


class ServedObjects(ObjectApi, Protocol):
    """Objects, with their revisions, and batches in which not every write could be read."""

    async def entry(self, key: Key) -> Entry: ...

    async def batch(self, writes: Sequence[Write | Unreadable]) -> Sequence[WriteResult | RollplaneError]: ...


def object_service(api_of: Callable[[Identity], ServedObjects]) -> Service[ServedObjects]:
    """Return the service over what ``api_of`` gives for a caller."""
    return Service(
        NAME,
        api_of,
        {
            "Get": Unary(pb.GetRequest, _get),
            "List": Unary(pb.ListRequest, _list),
            "Watch": Streaming(pb.WatchRequest, _watching(Frames())),
            "Create": Unary(pb.CreateRequest, _writing(writes.decode_create)),
            "Update": Unary(pb.UpdateRequest, _writing(writes.decode_update)),
            "UpdateStatus": Unary(pb.UpdateStatusRequest, _writing(writes.decode_update_status)),
            "Patch": Unary(pb.PatchRequest, _writing(writes.decode_patch)),
            "Delete": Unary(pb.DeleteRequest, _writing(writes.decode_delete)),
            "DeleteCollection": Unary(pb.DeleteCollectionRequest, _delete_collection),
            "Bind": Unary(pb.BindRequest, _writing(writes.decode_bind)),
            "Evict": Unary(pb.EvictRequest, _writing(writes.decode_evict)),
            "BatchWrite": Unary(pb.BatchWriteRequest, _batch_write),
            "RaiseFence": Unary(pb.RaiseFenceRequest, _raise_fence),
        },
    )


async def _get(api: ServedObjects, request: pb.GetRequest) -> pb.GetResponse:
    entry = await api.entry(parts.decode_key(request.key))
    return pb.GetResponse(object=entry.encoded.to_any(), revision=entry.revision)


async def _list(api: ServedObjects, request: pb.ListRequest) -> pb.ListResponse:
    return reads.encode_page(await api.list(reads.decode_list(request)))


def _watching(frames: Frames) -> Callable[[ServedObjects, pb.WatchRequest], AsyncGenerator[bytes, None]]:
    """The method that streams changes, sharing ``frames`` between all streams."""

    async def watch(api: ServedObjects, request: pb.WatchRequest) -> AsyncGenerator[bytes, None]:
        async with api.watch(reads.decode_watch(request)) as batches:
            async for batch in batches:
                message = frames.response(batch)
                if len(message) <= reads.MAX_MESSAGE_BYTES:  # as nearly all are
                    yield message
                    continue
                for part in reads.split_watch_batch(batch):
                    yield frames.response(part)

    return watch


def _writing(
    decode: Callable[[R], Write],
) -> Callable[[ServedObjects, R], Awaitable[pb.WriteResult]]:
    """The method whose whole work is one write."""

    async def write(api: ServedObjects, request: R) -> pb.WriteResult:
        return writes.encode_result(await api.write(decode(request)))

    return write


async def _batch_write(api: ServedObjects, request: pb.BatchWriteRequest) -> pb.BatchWriteResponse:
    return writes.encode_batch_results(await api.batch(writes.decode_batch(request)))


async def _delete_collection(api: ServedObjects, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
    deleted = await api.delete_collection(reads.decode_delete_collection(request))
    return reads.encode_deleted_collection(deleted)


async def _raise_fence(api: ServedObjects, request: pb.RaiseFenceRequest) -> pb.RaiseFenceResponse:
    await api.raise_fence(parts.decode_fence(request.fence))
    return pb.RaiseFenceResponse()
