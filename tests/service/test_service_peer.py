"""What is said of an apiserver that does not answer, in our words."""

from __future__ import annotations

import socket

import grpc

from rollplane_client.channel import open_channel
from rollplane_machinery.clock import FakeClock
from rollplane_service.health import Health
from rollplane_service.peer import STORE_MEMORY, STORE_WRITES, Peer, hindrances
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


async def test_what_hinders_writes_is_asked_by_the_names_of_checks_and_notes() -> None:
    health, words = Health(), {STORE_WRITES: "", STORE_MEMORY: ""}
    health.started = True
    health.add_check(STORE_WRITES, lambda: words[STORE_WRITES])
    health.add_note(STORE_MEMORY, lambda: words[STORE_MEMORY])
    async with health_port("127.0.0.1:0", health, FakeClock()) as address, open_channel(address) as channel:
        assert await hindrances(channel) == []
        words[STORE_MEMORY] = "it is full"
        assert await hindrances(channel) == [STORE_MEMORY]
        words[STORE_WRITES] = "it refuses"
        assert await hindrances(channel) == [STORE_WRITES, STORE_MEMORY]


async def test_who_knows_nothing_of_a_store_hinders_nothing() -> None:
    async with health_port("127.0.0.1:0", Health(), FakeClock()) as address, open_channel(address) as channel:
        assert await hindrances(channel) == []
    async with open_channel(address) as channel:
        assert await hindrances(channel) == []
