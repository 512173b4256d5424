"""Cores over a real server: two at once, the server killed under them, and back with an older copy of its data."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer
from rollplane_machinery import kinds
from rollplane_machinery.api import Api, Create, ListQuery, Patch, PatchType, WriteResult
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import ConflictError, ExpiredError, UnavailableError
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import config_map, key_of
from tests.apiserver.store.conftest import SERVERS, find_binary
from tests.apiserver.watch.watching import Replica, watching

OBJECTS = 8


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(tmp_path / "data", binary=find_binary(request.param)) as server:
        yield server


@asynccontextmanager
async def core_on(server: RedisServer, seed: int = 1) -> AsyncIterator[Core]:
    store = RedisStore(RedisSettings(server.url, call_timeout_seconds=1.0))
    try:
        async with Core(store, SystemClock(), randomness=random.Random(seed)) as core:
            yield core
    finally:
        await store.close()


def setting(number: int, value: str) -> Patch:
    return Patch(key_of(config_map(f"c{number}")), PatchType.MERGE, f'{{"data":{{"k":"{value}"}}}}'.encode())


async def fill(api: Api) -> None:
    for result in await api.batch([Create(Encoded.of(config_map(f"c{number}"))) for number in range(OBJECTS)]):
        assert isinstance(result, WriteResult), result


async def listed(api: Api) -> dict[tuple[str, str, str], bytes]:
    page = await api.list(ListQuery(kinds.CONFIG_MAP))
    metas = [(encoded.parse().metadata, encoded.value) for encoded in page.objects]
    return {("configmaps", meta.namespace, meta.name): value for meta, value in metas}


async def follow(replica: Replica, api: Api, revision: int) -> None:
    """Resume wherever the replica is, as often as the watch ends, up to ``revision``."""
    while replica.revision < revision:
        initial = replica.revision == 0
        try:
            async with api.watch(watching(kinds.CONFIG_MAP, since=replica.revision, initial=initial)) as batches:
                await replica.follow(batches, revision, initial=initial)
        except UnavailableError:
            await asyncio.sleep(0.05)


async def write_on(api: Api, stop: asyncio.Event) -> None:
    """Change objects until told to stop; a write that is not answered is forgotten, as a careless client would."""
    number = 0
    while not stop.is_set():
        number += 1
        for result in await api.batch([setting(one, f"round {number}") for one in range(OBJECTS)]):
            # Another core may overtake a write five times over.
            assert isinstance(result, WriteResult | UnavailableError | ConflictError), result


async def test_two_cores_on_one_server_see_the_same(server: RedisServer) -> None:
    async with core_on(server) as one, core_on(server, 2) as two:
        apis = [one.as_identity(ADMIN), two.as_identity(ADMIN)]
        await fill(apis[0])
        replicas = [Replica(), Replica()]
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for api in apis:
                tasks.create_task(write_on(api, stop))
            await follow(replicas[0], apis[1], one.revision + 20 * OBJECTS)
            stop.set()
        last = await apis[1].write(setting(0, "last"))
        for replica, api in zip(replicas, apis, strict=True):
            await follow(replica, api, last.revision)
        assert replicas[0].objects == replicas[1].objects == await listed(apis[0]) == await listed(apis[1])


async def test_watchers_survive_a_killed_server(server: RedisServer) -> None:
    """Killed in the middle of writes and started again: nothing missed, repeated or reordered, and all comes back."""
    async with core_on(server) as core:
        api = core.as_identity(ADMIN)
        await fill(api)
        replica, stop = Replica(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write_on(api, stop))
            await follow(replica, api, core.revision + OBJECTS)
            os.kill(server.pid, signal.SIGKILL)
            await server.wait()
            await server.stop()
            await server.start()
            await follow(replica, api, (await eventually(api, setting(0, "back"))).revision + OBJECTS)
            stop.set()
        last = await eventually(api, setting(0, "last"))
        await follow(replica, api, last.revision)
        assert replica.objects == await listed(api)
        assert core.is_serving


async def test_older_copy_expires_what_was_told(server: RedisServer, tmp_path: Path) -> None:
    async with core_on(server) as core:
        api = core.as_identity(ADMIN)
        await fill(api)
        await server.stop()
        shutil.copytree(tmp_path / "data", tmp_path / "older")
        await server.start()
        lost = await eventually(api, Create(Encoded.of(config_map("lost"))))
        await follow(Replica(), api, lost.revision)
        await server.stop()
        shutil.rmtree(tmp_path / "data")
        shutil.copytree(tmp_path / "older", tmp_path / "data")
        await server.start()
        after = await eventually(api, setting(0, "after"))
        assert after.revision > lost.revision
        assert ("configmaps", "default", "lost") not in await listed(api)
        with pytest.raises(ExpiredError):
            async with api.watch(watching(kinds.CONFIG_MAP, since=lost.revision)) as batches:
                await anext(batches)


async def eventually(api: Api, write: Create | Patch) -> WriteResult:
    """Write as soon as the server takes writes again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await api.write(write)
            except UnavailableError:
                await asyncio.sleep(0.05)
