"""Every method of both services: what it asks of the Api, what it answers, and that garbage never hurts it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as PackedAny
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from rollplane.api import v1 as pb
from rollplane.api.v1 import object_service_pb2, rollout_service_pb2
from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta
from rollplane_apiserver.rpc import objects, rollouts
from rollplane_apiserver.rpc.calls import Service
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    DeleteCollection,
    EventType,
    Evict,
    Fence,
    Key,
    ListQuery,
    Patch,
    PatchType,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import BadRequestError, ExpiredError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire import parts, reads
from rollplane_machinery.wire.status import decode_error
from rollplane_machinery.wire.writes import decode_batch_results, decode_result, encode_batch, encode_write
from tests.apiserver.rpc.serving import ScriptedCore, Served, error_of

POD_KEY = Key(kinds.POD, "default", "web-0")
POD = Encoded.of(Pod(metadata=ObjectMeta(name="web-0", namespace="default", resource_version="17")))

SERVICES: tuple[ServiceDescriptor, ...] = (
    object_service_pb2.DESCRIPTOR.services_by_name["ObjectService"],
    rollout_service_pb2.DESCRIPTOR.services_by_name["RolloutService"],
)
METHODS: dict[str, MethodDescriptor] = {
    f"{service.name}/{method.name}": method for service in SERVICES for method in service.methods
}

WRITES: dict[str, Write] = {
    "ObjectService/Create": Create(POD),
    "ObjectService/Update": Update(POD),
    "ObjectService/UpdateStatus": UpdateStatus(POD),
    "ObjectService/Patch": Patch(POD_KEY, PatchType.MERGE, b"{}", "status"),
    "ObjectService/Delete": Delete(POD_KEY, 0),
    "ObjectService/Bind": Bind(POD_KEY, "node-1"),
    "ObjectService/Evict": Evict(POD_KEY, 30),
}


@pytest.mark.parametrize(("method", "write"), WRITES.items(), ids=WRITES)
async def test_single_writes(served: Served, method: str, write: Write) -> None:
    async def answer(_: Write) -> WriteResult:
        return WriteResult(18, POD, removed=True)

    served.api.on_write = answer
    response = pb.WriteResult.FromString(await served.call(method, encode_write(write)))
    assert served.api.asked == [write]
    assert decode_result(response) == WriteResult(18, POD, removed=True)


async def test_get_tells_the_revision(served: Served) -> None:
    served.api.object = POD
    request = pb.GetRequest(key=parts.encode_key(POD_KEY))
    response = pb.GetResponse.FromString(await served.call("ObjectService/Get", request))
    assert (response.revision, Encoded.from_any(response.object)) == (17, POD)
    assert served.api.asked == [POD_KEY]


async def test_list(served: Served) -> None:
    query = ListQuery(kinds.POD, "default", "app=web", "spec.nodeName=n1", 5, "token", 3)
    await served.call("ObjectService/List", reads.encode_list(query))
    assert served.api.asked == [query]


async def test_delete_collection_and_fences(served: Served) -> None:
    request = DeleteCollection(kinds.POD, "default", "app=web")
    await served.call("ObjectService/DeleteCollection", reads.encode_delete_collection(request))
    fence = pb.RaiseFenceRequest(fence=parts.encode_fence(Fence("ns-1", 7)))
    await served.call("ObjectService/RaiseFence", fence)
    assert served.api.asked == [request, Fence("ns-1", 7)]


async def test_a_batch_passes_values_on_unparsed(served: Served) -> None:
    opaque = Encoded(kinds.POD, b"\xff not even a pod")
    writes: list[Write] = [Create(opaque, group="g"), Delete(POD_KEY)]
    response = await served.call("ObjectService/BatchWrite", encode_batch(writes))
    assert served.api.asked == [writes]
    results = decode_batch_results(pb.BatchWriteResponse.FromString(response))
    assert results == [WriteResult(1), WriteResult(1)]


async def test_items_that_cannot_be_read_keep_their_place_and_their_group(served: Served) -> None:
    good = encode_batch([Delete(POD_KEY)]).writes[0]
    unknown_kind = pb.Write(create=pb.CreateRequest(object=PackedAny(type_url="x/y", value=b"")), group="g")
    await served.call("ObjectService/BatchWrite", pb.BatchWriteRequest(writes=[unknown_kind, good, pb.Write()]))
    ((first, second, third),) = served.api.asked
    assert (first.group, type(first.error)) == ("g", BadRequestError)
    assert second == Delete(POD_KEY)
    assert (third.group, type(third.error)) == ("", BadRequestError)


def _event(revision: int, size: int = 0) -> WatchEvent:
    return WatchEvent(EventType.ADDED, Encoded(kinds.POD, b"x" * size), revision)


async def _batches(*batches: WatchBatch | RollplaneError) -> AsyncIterator[WatchBatch]:
    for batch in batches:
        if isinstance(batch, RollplaneError):
            raise batch
        yield batch


async def test_a_watch_streams_until_its_error(served: Served) -> None:
    told = [WatchBatch([_event(1), _event(2)], 2), WatchBatch([], 9)]
    served.api.batches = _batches(*told, ExpiredError("the log was trimmed"))
    query = WatchQuery((WatchFilter(kinds.POD, ("default",), "app=web"),), from_revision=5)
    stream = served.stream("ObjectService/Watch", reads.encode_watch(query))
    received = [reads.decode_watch_batch(pb.WatchResponse.FromString(await stream.read())) for _ in told]
    assert received == told
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    assert served.api.asked == [query]
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert type(error_of(caught.value)) is ExpiredError


async def test_watch_messages_stay_below_any_clients_limit(served: Served) -> None:
    served.api.batches = _batches(WatchBatch([_event(revision, 1_000_000) for revision in range(1, 10)], 9))
    stream = served.stream("ObjectService/Watch", pb.WatchRequest())
    parts = [pb.WatchResponse.FromString(data) async for data in stream]
    assert [event.revision for part in parts for event in part.events] == list(range(1, 10))
    assert [part.revision for part in parts] == [3, 6, 9]
    assert max(part.ByteSize() for part in parts) <= reads.MAX_MESSAGE_BYTES


async def test_a_watch_that_is_let_go_gives_its_place_back(served: Served) -> None:
    gone = False

    async def endless() -> AsyncIterator[WatchBatch]:
        nonlocal gone
        try:
            while True:
                yield WatchBatch([_event(1, 100_000)], 1)
        finally:
            gone = True

    served.api.batches = endless()
    stream = served.stream("ObjectService/Watch", pb.WatchRequest())
    await stream.read()
    assert served.server.admission.streams == 1
    stream.cancel()
    while served.server.admission.streams:
        await served.call("ObjectService/List", pb.ListRequest(resource="pods"))
    assert ("ObjectService", "Watch", "CANCELLED") in served.calls.ended


async def test_rollout_verbs_read_through_the_same_api(served: Served) -> None:
    request = pb.PauseRequest(key=pb.ObjectKey(resource="statefulsets.apps", namespace="default", name="web"))
    code, status = await served.refusal("RolloutService/Pause", request)
    assert code is grpc.StatusCode.UNIMPLEMENTED
    assert status.message == 'statefulsets.apps "web" pausing is not supported'


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_method_of_the_protos_is_served(service: ServiceDescriptor) -> None:
    core = ScriptedCore()
    served: dict[str, Service[Any]] = {
        objects.NAME: objects.object_service(core.as_identity),
        rollouts.NAME: rollouts.rollout_service(core.as_identity),
    }
    methods = served[service.full_name].methods
    assert {method.name: method.input_type.full_name for method in service.methods} == {
        name: method.request.DESCRIPTOR.full_name for name, method in methods.items()
    }


async def test_an_unknown_resource_is_not_found(served: Served) -> None:
    code, status = await served.refusal("ObjectService/Delete", pb.DeleteRequest(key=pb.ObjectKey(resource="gadgets")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert status.message == "the server doesn't have a resource 'gadgets'"


@pytest.mark.parametrize("method", METHODS)
async def test_random_bytes_never_crash_a_method(served: Served, method: str, caplog: pytest.LogCaptureFixture) -> None:
    randomness = random.Random(method)
    refusals = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED}
    for length in [*range(1, 30), 100, 1000, 10_000]:
        data = randomness.randbytes(length)
        code = await served.code_of(method, data, streaming=METHODS[method].server_streaming)
        assert code in {grpc.StatusCode.OK, *refusals}, data
    assert caplog.records == []
    await served.call("ObjectService/List", pb.ListRequest(resource="pods"))


@pytest.mark.parametrize("method", METHODS)
async def test_well_formed_nonsense_never_crashes_a_method(served: Served, method: str) -> None:
    """Every field set to something, by its type, so that parsing succeeds and reading is put to the test."""
    randomness = random.Random(method)
    for _ in range(20):
        # Fields 1 to 9 as length-delimited or varint, whatever the message says they are.
        data = b"".join(
            bytes([number << 3 | 2, length := randomness.randrange(6)]) + randomness.randbytes(length)
            if randomness.random() < 0.7
            else bytes([number << 3, randomness.randrange(128)])
            for number in range(1, 10)
        )
        code = await served.code_of(method, data, streaming=METHODS[method].server_streaming)
        assert code not in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}, data


async def test_a_refused_write_in_a_batch_is_told_in_its_place(served: Served) -> None:
    served.api.on_batch = lambda _: [WriteResult(5), NotFoundError("gone", resource="pods", name="x")]
    response = await served.call("ObjectService/BatchWrite", encode_batch([Delete(POD_KEY), Delete(POD_KEY)]))
    message = pb.BatchWriteResponse.FromString(response)
    assert message.results[0].revision == 5
    assert type(decode_error(message.results[1].error)) is NotFoundError
