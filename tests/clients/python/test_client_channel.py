"""Addresses, and what a failed transport tells of a write."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane_client.channel import target_of
from rollplane_client.grpc_api import Deadlines, connect
from rollplane_client.retry import RetryPolicy
from rollplane_machinery.api import Create, Key, WatchFilter, WatchQuery
from rollplane_machinery.errors import BadRequestError, Outcome, RollplaneError, TimedOutError, UnavailableError
from rollplane_machinery.kinds import CONFIG_MAP, Encoded

ONCE = RetryPolicy(give_up_seconds=0.0)

TARGETS: dict[str, tuple[str, str]] = {
    "one": ("localhost:7070", "localhost:7070"),
    "a socket": ("unix:/run/rollplane.sock", "unix:/run/rollplane.sock"),
    "a name with many addresses": ("dns:///apiserver:7070", "dns:///apiserver:7070"),
    "several": ("10.0.0.1:1, 10.0.0.2:2", "ipv4:10.0.0.1:1,10.0.0.2:2"),
    "several of IPv6": ("[::1]:1,[::1]:2", "ipv6:[::1]:1,[::1]:2"),
}


@pytest.mark.parametrize(("address", "target"), TARGETS.values(), ids=TARGETS)
def test_target_of(address: str, target: str) -> None:
    assert target_of(address) == target


@pytest.mark.parametrize("address", ["", "a:1,b:2", "10.0.0.1:1,", "10.0.0.1,10.0.0.2", "10.0.0.1:1,[::1]:1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(BadRequestError):
        target_of(address)


def config(name: str) -> Create:
    message = ConfigMap()
    message.metadata.namespace = "default"
    message.metadata.name = name
    return Create(Encoded.of(message))


async def failed_write(address: str, deadlines: Deadlines | None = None) -> RollplaneError:
    async with connect(address, retry=ONCE, deadlines=deadlines or Deadlines()) as api:
        with pytest.raises(RollplaneError) as raised:
            await api.write(config("a"))
    return raised.value


@asynccontextmanager
async def listener(*, answers: bool) -> AsyncIterator[str]:
    """A port where something listens that is no gRPC server: it hangs up on the first bytes, or stays silent."""

    met: list[asyncio.Transport] = []

    class Meeting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport
            met.append(transport)

        def data_received(self, data: bytes) -> None:
            if answers:
                self.transport.close()

    server = await asyncio.get_running_loop().create_server(Meeting, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await turns()  # a connection that came in last is met, too
    for transport in met:
        transport.abort()
    await turns()


async def turns() -> None:
    """Let the loop do what is ready, and what that makes ready."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_write_is_not_sent_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await failed_write(f"127.0.0.1:{taken.getsockname()[1]}")
    assert isinstance(error, UnavailableError)
    assert error.outcome is Outcome.NOT_SENT


async def test_a_write_is_not_sent_to_a_socket_that_is_not_there(tmp_path: Path) -> None:
    error = await failed_write(f"unix:{tmp_path}/none.sock")
    assert isinstance(error, UnavailableError)
    assert error.outcome is Outcome.NOT_SENT


async def test_a_write_is_not_sent_to_what_never_became_a_connection() -> None:
    async with listener(answers=True) as address:
        error = await failed_write(address)
    assert isinstance(error, UnavailableError)
    assert error.outcome is Outcome.NOT_SENT


async def test_silence_ends_with_the_deadline() -> None:
    async with listener(answers=False) as address:
        error = await failed_write(address, Deadlines(call_seconds=0.2))
    assert isinstance(error, TimedOutError)


async def test_a_name_that_nobody_has() -> None:
    error = await failed_write("dns:///nobody.invalid:1", Deadlines(call_seconds=5.0))
    assert isinstance(error, UnavailableError)
    assert error.outcome is Outcome.NOT_SENT


async def test_closing_ends_calls_and_watches_and_refuses_new_ones() -> None:
    async with listener(answers=False) as address, connect(address, retry=ONCE) as api:
        call = asyncio.ensure_future(api.get(Key(CONFIG_MAP, "default", "a")))
        async with api.watch(WatchQuery((WatchFilter(CONFIG_MAP),))) as batches:
            watch = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0)
            await api.close()
            for waiting in (call, watch):
                with pytest.raises(UnavailableError):
                    await waiting
        with pytest.raises(UnavailableError) as raised:
            await api.write(config("a"))
        assert raised.value.outcome is Outcome.NOT_SENT


async def test_cancelling_a_call_is_a_cancellation() -> None:
    async with listener(answers=False) as address, connect(address) as api:
        call = asyncio.ensure_future(api.get(Key(CONFIG_MAP, "default", "a")))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
