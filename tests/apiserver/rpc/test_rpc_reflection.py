"""A client that knows no .proto file of ours can find the services, and read and write objects as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import reflection_pb2

from rollplane.core.v1 import Pod, PodSpec
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.kinds import KINDS, Encoded
from tests.apiserver.rpc.serving import Served

VERSIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


class ReflectionClient:
    """What grpcurl does: asks for symbols, collects the files that come, and calls with messages made from them."""

    def __init__(self, channel: grpc.aio.Channel, version: str) -> None:
        self._call = channel.stream_stream(
            f"/{version}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        self.pool = descriptor_pool.DescriptorPool()
        self._added: set[str] = set()

    async def ask(self, request: reflection_pb2.ServerReflectionRequest) -> reflection_pb2.ServerReflectionResponse:
        (response,) = [response async for response in self._call(iter([request]))]
        return response

    async def services(self) -> list[str]:
        answer = await self.ask(reflection_pb2.ServerReflectionRequest(list_services=""))
        return [service.name for service in answer.list_services_response.service]

    async def learn(self, symbol: str) -> None:
        """Add the file of ``symbol``, and those it needs, to the pool."""
        answer = await self.ask(reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol))
        files = {file.name: file for file in self._files(answer)}
        assert files, f"{symbol} is not known: {answer.error_response}"
        for name in files:
            self._add(name, files)

    def _files(self, answer: reflection_pb2.ServerReflectionResponse) -> Iterator[descriptor_pb2.FileDescriptorProto]:
        for data in answer.file_descriptor_response.file_descriptor_proto:
            yield descriptor_pb2.FileDescriptorProto.FromString(data)

    def _add(self, name: str, files: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
        if name in self._added:
            return
        self._added.add(name)
        for dependency in files[name].dependency:
            self._add(dependency, files)
        self.pool.Add(files[name])


@pytest.mark.parametrize("version", VERSIONS)
async def test_services_are_listed(served: Served, version: str) -> None:
    assert await ReflectionClient(served.channel, version).services() == sorted(
        ["rollplane.api.v1.ObjectService", "rollplane.api.v1.RolloutService", "grpc.health.v1.Health", *VERSIONS]
    )


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_service_and_kind_is_described(served: Served, version: str) -> None:
    client = ReflectionClient(served.channel, version)
    for service in await client.services():
        await client.learn(service)
        assert client.pool.FindServiceByName(service).methods
    for symbol in ("google.rpc.ErrorInfo", "google.rpc.RetryInfo", "rollplane.meta.v1.Status"):
        await client.learn(symbol)
    for kind in KINDS:
        await client.learn(kind.message.DESCRIPTOR.full_name)
        described = client.pool.FindMessageTypeByName(kind.message.DESCRIPTOR.full_name)
        assert [field.name for field in described.fields] == [field.name for field in kind.message.DESCRIPTOR.fields]


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_object_in_any_reads_and_writes_as_json(served: Served, version: str) -> None:
    """What ``grpcurl -d '{"object": {"@type": …}}'`` needs."""
    client = ReflectionClient(served.channel, version)
    await client.learn("rollplane.api.v1.ObjectService")
    await client.learn("rollplane.core.v1.Pod")
    method = client.pool.FindServiceByName("rollplane.api.v1.ObjectService").FindMethodByName("Create")
    request = json_format.ParseDict(
        {
            "object": {
                "@type": "type.googleapis.com/rollplane.core.v1.Pod",
                "metadata": {"name": "web-0", "namespace": "default"},
                "spec": {"nodeName": "n1"},
            }
        },
        message_factory.GetMessageClass(method.input_type)(),
        descriptor_pool=client.pool,
    )
    await served.call("ObjectService/Create", request)
    (create,) = served.api.asked
    sent = Pod(metadata=ObjectMeta(name="web-0", namespace="default"), spec=PodSpec(node_name="n1"))
    assert create.object.parse() == sent

    served.api.object = Encoded.of(Pod(metadata=ObjectMeta(name="web-0", resource_version="17")))
    get = client.pool.FindServiceByName("rollplane.api.v1.ObjectService").FindMethodByName("Get")
    asked = json_format.ParseDict(
        {"key": {"resource": "pods", "name": "web-0"}}, message_factory.GetMessageClass(get.input_type)()
    )
    answer = message_factory.GetMessageClass(get.output_type)()
    answer.ParseFromString(await served.call("ObjectService/Get", asked))
    assert json_format.MessageToDict(answer, descriptor_pool=client.pool) == {
        "object": {
            "@type": "type.googleapis.com/rollplane.core.v1.Pod",
            "metadata": {"name": "web-0", "resourceVersion": "17"},
        },
        "revision": "17",
    }


async def test_a_symbol_that_does_not_exist_is_not_found(served: Served) -> None:
    client = ReflectionClient(served.channel, VERSIONS[0])
    answer = await client.ask(reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.such.Thing"))
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
