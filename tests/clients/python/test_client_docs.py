"""The documentation's grpcurl lines work, by a client that does as grpcurl does."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from rollplane.core.v1 import Container
from tests.clients.python.plane import Plane, create, deployment

ROOT = Path(__file__).resolve().parents[3]


class Grpcurl:
    """Calls methods with JSON, knowing nothing but what the server's reflection says."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._database = ProtoReflectionDescriptorDatabase(self._channel)
        self._pool = DescriptorPool(self._database)

    def close(self) -> None:
        self._channel.close()

    def services(self) -> list[str]:
        return list(self._database.get_services())

    def call(self, path: str, request: str) -> dict[str, Any]:
        """Return the answer, of a stream the first message, as JSON."""
        service, _, name = path.rpartition("/")
        method: MethodDescriptor = self._pool.FindServiceByName(service).methods_by_name[name]
        message = GetMessageClass(method.input_type)()
        json_format.Parse(request, message, descriptor_pool=self._pool)
        answer = next(self._answers(method, f"/{path}", message))
        found: dict[str, Any] = json.loads(json_format.MessageToJson(answer, descriptor_pool=self._pool))
        return found

    def _answers(self, method: MethodDescriptor, path: str, message: Message) -> Iterator[Message]:
        codec = (type(message).SerializeToString, GetMessageClass(method.output_type).FromString)
        if method.server_streaming:
            call = self._channel.unary_stream(path, *codec)(message, timeout=20)
            yield from call
        else:
            yield self._channel.unary_unary(path, *codec)(message, timeout=20)


def curl(address: str, line: str) -> Any:
    """Do what one line of the documentation asks grpcurl for."""
    words = shlex.split(line)
    assert words[:2] == ["grpcurl", "-plaintext"]
    client = Grpcurl(address)
    try:
        if words[-1] == "list":
            return client.services()
        return client.call(words[-1], words[words.index("-d") + 1])
    finally:
        client.close()


async def test_grpcurl(plane: Plane) -> None:
    web = deployment("web")
    web.spec.template.spec.containers[0].CopyFrom(Container(name="nginx", image="nginx:1.27"))
    await create(plane.in_process(), web)
    text = (ROOT / "docs/clients.md").read_text()
    answers = [
        await asyncio.to_thread(curl, plane.address, line) for line in text.splitlines() if line.startswith("grpcurl ")
    ]
    services, created, got, listed, watched, changed = answers
    assert {"rollplane.api.v1.ObjectService", "rollplane.api.v1.RolloutService"} <= set(services)
    assert created["object"]["data"] == {"text": "hello"}
    assert got["object"] == created["object"]
    assert [found["metadata"]["name"] for found in listed["objects"]] == ["web"]
    assert watched["initialStateComplete"]
    assert changed["object"]["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:1.28"
