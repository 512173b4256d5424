"""What is said of an apiserver that does not answer, in our words."""

from __future__ import annotations

import socket

import grpc

from rollplane_client.channel import open_channel
from rollplane_machinery.clock import FakeClock
from rollplane_service.health import Health
from rollplane_service.peer import Peer
from rollplane_service.ports import health_port


async def trouble_at(address: str) -> str:
    async with open_channel(address) as channel:
        peer = Peer(channel, FakeClock())
        await peer.ask()
        return peer.trouble()


async def test_where_nobody_listens() -> None:
    async with health_port("127.0.0.1:0", Health(), FakeClock()) as left:
        pass
    assert await trouble_at(left) == "the apiserver does not answer: nobody can be reached there"


async def test_where_somebody_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = await trouble_at(f"127.0.0.1:{silent.getsockname()[1]}")
    said = told.removeprefix("the apiserver does not answer: ")
    assert said in ("not within 1 s", "nobody can be reached there")


async def test_where_another_program_listens() -> None:
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    assert await trouble_at(f"127.0.0.1:{port}") == "the apiserver does not answer: another program listens there"
    await server.stop(None)
