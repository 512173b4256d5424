"""A peer that says nothing any more, where it should: found within seconds, and the other address used."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rollplane_apiserver.store.server import RedisServer
from rollplane_client.grpc_api import GrpcApi, connect
from rollplane_client.informer import Informer
from rollplane_client.silence import LISTENING_TICKS, OPENING_TICKS, TICK_SECONDS, Watchdog
from rollplane_machinery.api import ListQuery, WatchFilter
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import CONFIG_MAP
from rollplane_rehearsal import run
from tests.apiserver.rpc.process import Process, running
from tests.apiserver.store.conftest import find_binary
from tests.clients.python.plane import caught_up, config_map, create

FOUND_SECONDS = 30.0
"""Less than four seconds on an idle machine. Without pings it takes more than a minute, however idle."""


def test_a_watchdog_gives_up_who_is_silent_while_one_listens() -> None:
    async def scenario() -> list[float]:
        loop = asyncio.get_running_loop()
        times: list[float] = []
        mute, fallen_silent, busy = (Watchdog(lambda: times.append(loop.time())) for _ in range(3))
        await asyncio.sleep(TICK_SECONDS / 2)
        fallen_silent.listen()
        busy.rest()  # with what it heard: whoever is slow to read is not the one who is not spoken to
        await asyncio.sleep(60)
        assert (mute.gave_up, fallen_silent.gave_up, busy.gave_up) == (True, True, False)
        busy.close()
        return times

    assert run(scenario()) == [LISTENING_TICKS * TICK_SECONDS, OPENING_TICKS * TICK_SECONDS]


@asynccontextmanager
async def two_apiservers(folder: Path) -> AsyncIterator[tuple[Process, Process]]:
    async with (
        RedisServer(folder, binary=find_binary("valkey")) as store,
        running(redis=store.url) as one,
        running(redis=store.url) as other,
    ):
        yield one, other


@asynccontextmanager
async def informed(api: GrpcApi) -> AsyncIterator[Informer[str]]:
    informer = Informer(api, [WatchFilter(CONFIG_MAP)], lambda _encoded: "", clock=SystemClock())
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(informer.run())
        await informer.synced.wait()
        yield informer
        task.cancel()


@pytest.mark.parametrize("paused", [0, 1])
async def test_a_paused_apiserver_is_left_for_the_other(tmp_path: Path, paused: int) -> None:
    """Calls are spread over both and the watch is on one of them, so that each is paused in turn."""
    async with (
        two_apiservers(tmp_path / "data") as both,
        connect(f"{both[0].address},{both[1].address}", role="admin") as api,
        informed(api) as informer,
    ):
        await caught_up(informer, await create(api, config_map("before")))
        both[paused].process.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(FOUND_SECONDS):
                await asyncio.gather(*(api.list(ListQuery(CONFIG_MAP)) for _ in range(4)))
                written = await asyncio.gather(*(create(api, config_map(f"after-{number}")) for number in range(4)))
                await caught_up(informer, max(written))
        finally:
            both[paused].process.send_signal(signal.SIGCONT)
