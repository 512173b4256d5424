"""What the store commits on a durable embedded server: items per second in batches, single writes, latency, readers."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from rollplane_apiserver.store.committer import CommitterLimits, GroupCommitter
from rollplane_apiserver.store.interface import Mutation, Require, Store
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer, embedded_server
from rollplane_machinery.clock import SystemClock

SECONDS = 3.0
VALUE = bytes(range(256)) * 8  # 2 KiB, about what a pod takes


def main() -> None:
    """Print rows of name, value, unit."""
    asyncio.run(_run())


async def _run() -> None:
    for in_flight in (1, 2):
        await _on_a_server(partial(_measure_commits, in_flight))
    for limits in (CommitterLimits(), CommitterLimits(in_flight=2), CommitterLimits(commit_items=256)):
        await _on_a_server(partial(_measure_committer, limits))
    await _on_a_server(_measure_reading)


async def _on_a_server(measure: Callable[[Store], Awaitable[None]]) -> None:
    """Measure on a server of its own, so that none pays for the file that another has written."""
    with tempfile.TemporaryDirectory() as folder:
        async with RedisServer(Path(folder), binary=embedded_server()) as server:
            store = RedisStore(RedisSettings(server.url, log_bytes=64 * 1024 * 1024))
            await store.revision()
            await measure(store)
            await store.close()


async def _measure_commits(in_flight: int, store: Store) -> None:
    names = _Names()

    async def commit() -> int:
        return len(await store.commit([_create(names) for _ in range(200)]))

    _print(f"commit of 200 creates, {in_flight} in flight", await _repeat(commit, in_flight))


async def _measure_committer(limits: CommitterLimits, store: Store) -> None:
    committer = GroupCommitter(store, SystemClock(), limits)
    names = _Names()

    async def single() -> int:
        await committer.write(_create(names))
        return 1

    async def batch() -> int:
        return len(await committer.write_batch([_create(names) for _ in range(200)]))

    about = f"{limits.in_flight} in flight of {limits.commit_items}"
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(committer.run())
        for callers in (1, 64):
            _print(f"single writes, {callers} callers, {about}", await _repeat(single, callers))
        _print(f"batches of 200, 4 callers, {about}", await _repeat(batch, 4))
        mixed, batches = await asyncio.gather(_repeat(single, 8), _repeat(batch, 4))
        _print(f"single writes, 8 callers, beside batches, {about}", mixed)
        _print(f"batches of 200, 4 callers, beside singles, {about}", batches)
        running.cancel()


async def _measure_reading(store: Store) -> None:
    names = _Names()
    start = await store.revision()
    for _ in range(100):
        await store.commit([_create(names) for _ in range(200)])
    begin = time.perf_counter()
    await _follow(store, start, 20_000)
    print(f"log followed\t{20_000 / (time.perf_counter() - begin):.0f}\tchanges/s")
    begin = time.perf_counter()
    async with store.scan() as (_, chunks):
        objects = sum([len(chunk) async for chunk in chunks])
    print(f"objects scanned\t{objects / (time.perf_counter() - begin):.0f}\tobjects/s")


async def _follow(store: Store, after: int, wanted: int) -> None:
    async with store.follow(after) as batches:
        seen = 0
        while seen < wanted:
            seen += len((await anext(batches)).changes)


class _Names:
    """Keys never used before."""

    def __init__(self) -> None:
        self._next = 0

    def new(self) -> str:
        self._next += 1
        return f"default/pod-{self._next}"


def _create(names: _Names) -> Mutation:
    return Mutation("pods", names.new(), VALUE, Require.ABSENT)


async def _repeat(work: Callable[[], Awaitable[int]], callers: int) -> tuple[float, list[float]]:
    """Return items per second and the seconds of each call."""
    seconds: list[float] = []
    items = 0
    begin = time.perf_counter()

    async def caller() -> None:
        nonlocal items
        while (now := time.perf_counter()) < begin + SECONDS:
            done = await work()
            items += done
            seconds.append(time.perf_counter() - now)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return items / (time.perf_counter() - begin), seconds


def _print(name: str, measured: tuple[float, Sequence[float]]) -> None:
    rate, seconds = measured
    p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
    print(f"{name}\t{rate:.0f}\titems/s\tp50 {p50 * 1000:.1f} ms\tp99 {p99 * 1000:.1f} ms")


if __name__ == "__main__":
    main()
