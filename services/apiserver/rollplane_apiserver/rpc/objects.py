"""ObjectService: each method reads its request, asks the Api, and writes the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane.meta.v1 import PartialObjectMetadata
from rollplane_apiserver.core import Identity
from rollplane_apiserver.rpc.calls import Service, Streaming, Unary
from rollplane_apiserver.rpc.frames import Frames
from rollplane_machinery.api import ObjectApi, Write
from rollplane_machinery.errors import NotAttemptedError, RollplaneError
from rollplane_machinery.wire import parts, reads, writes

R = TypeVar("R", bound=Message)

NAME = "rollplane.api.v1.ObjectService"


def object_service(api_of: Callable[[Identity], ObjectApi]) -> Service[ObjectApi]:
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


async def _get(api: ObjectApi, request: pb.GetRequest) -> pb.GetResponse:
    encoded = await api.get(parts.decode_key(request.key))
    metadata = PartialObjectMetadata.FromString(encoded.value).metadata
    return pb.GetResponse(object=encoded.to_any(), revision=int(metadata.resource_version))


async def _list(api: ObjectApi, request: pb.ListRequest) -> pb.ListResponse:
    return reads.encode_page(await api.list(reads.decode_list(request)))


def _watching(frames: Frames) -> Callable[[ObjectApi, pb.WatchRequest], AsyncGenerator[bytes, None]]:
    """The method that streams changes, sharing ``frames`` between all streams."""

    async def watch(api: ObjectApi, request: pb.WatchRequest) -> AsyncGenerator[bytes, None]:
        async with api.watch(reads.decode_watch(request)) as batches:
            async for batch in batches:
                for part in reads.split_watch_batch(batch):
                    yield frames.response(part)

    return watch


def _writing(
    decode: Callable[[R], Write],
) -> Callable[[ObjectApi, R], Awaitable[pb.WriteResult]]:
    """The method whose whole work is one write."""

    async def write(api: ObjectApi, request: R) -> pb.WriteResult:
        return writes.encode_result(await api.write(decode(request)))

    return write


async def _batch_write(api: ObjectApi, request: pb.BatchWriteRequest) -> pb.BatchWriteResponse:
    items = _with_groups_stopped(request, writes.decode_batch(request))
    results = iter(await api.batch([item for item in items if not isinstance(item, RollplaneError)]))
    return writes.encode_batch_results([item if isinstance(item, RollplaneError) else next(results) for item in items])


def _with_groups_stopped(
    request: pb.BatchWriteRequest, items: Sequence[Write | RollplaneError]
) -> Sequence[Write | RollplaneError]:
    """Return ``items`` in which one that could not be read stops the rest of its group, as any failure does."""
    stopped: set[str] = set()
    settled: list[Write | RollplaneError] = []
    for message, item in zip(request.writes, items, strict=True):
        if message.group and message.group in stopped:
            settled.append(NotAttemptedError("an earlier write of the group could not be read"))
            continue
        if isinstance(item, RollplaneError):
            stopped.add(message.group)
        settled.append(item)
    return settled


async def _delete_collection(api: ObjectApi, request: pb.DeleteCollectionRequest) -> pb.DeleteCollectionResponse:
    deleted = await api.delete_collection(reads.decode_delete_collection(request))
    return reads.encode_deleted_collection(deleted)


async def _raise_fence(api: ObjectApi, request: pb.RaiseFenceRequest) -> pb.RaiseFenceResponse:
    await api.raise_fence(parts.decode_fence(request.fence))
    return pb.RaiseFenceResponse()
