"""A store that is there but takes no write: the apiserver says that it is not ready, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rollplane_apiserver.store.dial import dialer
from rollplane_apiserver.store.link import Link
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer
from rollplane_apiserver.write_probe import WriteProbe
from rollplane_machinery.clock import SystemClock
from tests.apiserver.rpc.process import running


async def greet_nobody(_: Link) -> None:
    """Send nothing: this connection is an operator's."""


async def configure(url: str, name: str, value: str) -> None:
    link = Link(dialer(url, connect_timeout_seconds=2.0), greet_nobody, timeout_seconds=2.0)
    await link.open()
    await link.call(b"CONFIG", b"SET", name.encode(), value.encode())
    await link.close()


async def test_refused_writes_are_noticed_and_named(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server:
        store = RedisStore(RedisSettings(server.url))
        probe = WriteProbe(store, SystemClock())
        await probe.ask()
        assert probe.trouble() == ""
        await configure(server.url, "min-replicas-to-write", "1")
        await probe.ask()
        assert "NOREPLICAS" in probe.trouble()
        await configure(server.url, "min-replicas-to-write", "0")
        await probe.ask()
        assert probe.trouble() == ""
        await store.close()


async def test_an_apiserver_says_that_it_is_not_ready_and_why(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server, running(redis=server.url) as apiserver:
        assert (await readyz(apiserver.metrics)).startswith("HTTP/1.1 200 OK")
        await configure(server.url, "min-replicas-to-write", "1")
        async with asyncio.timeout(20):
            while "NOREPLICAS" not in (answer := await readyz(apiserver.metrics)):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert answer.startswith("HTTP/1.1 503 ")
        assert "[+]store ok\n[-]store-writes failed: the store refuses: " in answer


async def readyz(address: str) -> str:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /readyz HTTP/1.1\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_probe_costs_no_revision(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server:
        store = RedisStore(RedisSettings(server.url))
        await WriteProbe(store, SystemClock()).ask()
        before = await store.revision()
        await WriteProbe(store, SystemClock()).ask()
        assert await store.revision() == before
        await store.close()


async def until(address: str, words: str) -> str:
    async with asyncio.timeout(20):
        while words not in (answer := await readyz(address)):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    return answer


async def test_a_shortage_of_memory_is_told_and_leaves_the_apiserver_ready(tmp_path: Path) -> None:
    """Deletions mend it, so nobody may be kept from sending them."""
    async with RedisServer(tmp_path) as server, running(redis=server.url) as apiserver:
        assert "[+]store-memory ok\n" in await readyz(apiserver.metrics)
        await configure(server.url, "maxmemory", "1")
        answer = await until(apiserver.metrics, "[!]store-memory: the store is short of memory: creates are refused")
        assert answer.startswith("HTTP/1.1 200 OK")
        await configure(server.url, "maxmemory", "0")
        await until(apiserver.metrics, "[+]store-memory ok\n")


async def test_a_policy_that_becomes_wrong_ends_no_apiserver_and_is_told(tmp_path: Path) -> None:
    async with RedisServer(tmp_path) as server, running(redis=server.url) as apiserver:
        await configure(server.url, "maxmemory-policy", "allkeys-lru")
        await cut_connections(server.url)
        answer = await until(apiserver.metrics, "maxmemory-policy is allkeys-lru")
        assert answer.startswith("HTTP/1.1 503 ")
        await configure(server.url, "maxmemory-policy", "noeviction")
        async with asyncio.timeout(20):
            while not (await readyz(apiserver.metrics)).startswith("HTTP/1.1 200"):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
        assert apiserver.process.returncode is None


async def cut_connections(url: str) -> None:
    link = Link(dialer(url, connect_timeout_seconds=2.0), greet_nobody, timeout_seconds=2.0)
    await link.open()
    await link.call(b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
    await link.close()
