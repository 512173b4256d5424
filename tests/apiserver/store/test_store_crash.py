"""Servers that are killed, paused, gone, or come back with an older copy of their data, while writers run."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from rollplane_apiserver.store.interface import Change, Committed, Refusal, Refused
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import ExpiredError, FencedError, Outcome, UnavailableError

from .conftest import SERVERS, find_binary
from .writing import create, must_commit, update

WRITERS = 8


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(tmp_path / "data", binary=find_binary(request.param)) as server:
        yield server


@pytest.fixture
async def store(server: RedisServer) -> AsyncIterator[RedisStore]:
    store = RedisStore(RedisSettings(server.url, call_timeout_seconds=1.0))
    yield store
    await store.close()


class Writers:
    """Clients that write until the store is gone, and remember what they were told."""

    def __init__(self, store: RedisStore) -> None:
        self.acknowledged: dict[str, tuple[int, bytes]] = {}
        self.revisions: list[int] = []
        self.unknown: dict[str, bytes] = {}
        self._store = store
        self._enough = asyncio.Event()

    async def run(self, round_number: int) -> None:
        await asyncio.gather(*(self._write(f"{round_number}-{writer}") for writer in range(WRITERS)))

    async def wrote(self) -> None:
        """Wait until a good number of further writes was acknowledged."""
        self._enough.clear()
        await self._enough.wait()

    async def _write(self, name: str) -> None:
        for number in range(1_000_000):
            key, value = f"{name}/{number}", f"{name} wrote {number}".encode()
            try:
                await self._commit(key, value, again=number % 3 == 0)
            except UnavailableError as exc:
                if exc.outcome is Outcome.OUTCOME_UNKNOWN:
                    self.unknown[key] = value
                return

    async def _commit(self, key: str, value: bytes, *, again: bool) -> None:
        (revision,) = await must_commit(self._store, create("pods", key, value))
        self._note(key, revision, value)
        if again:
            (revision,) = await must_commit(self._store, update("pods", key, value))
            self._note(key, revision, value)

    def _note(self, key: str, revision: int, value: bytes) -> None:
        self.acknowledged[key] = (revision, value)
        self.revisions.append(revision)
        if len(self.revisions) % 200 == 0:
            self._enough.set()


async def kill(server: RedisServer) -> None:
    os.kill(server.pid, signal.SIGKILL)
    await server.wait()
    await server.stop()


async def test_no_acknowledged_write_is_lost_and_no_revision_used_twice(server: RedisServer, store: RedisStore) -> None:
    start = await store.revision()
    writers = Writers(store)
    for round_number in range(3):
        writing = asyncio.create_task(writers.run(round_number))
        await writers.wrote()
        highest = max(writers.revisions)
        await kill(server)
        await writing
        await server.start()
        assert await store.revision() > highest
    assert len(set(writers.revisions)) == len(writers.revisions)
    jumps = await store.jumps()
    assert len(jumps) == 4  # the start of the cell, and each time it came back
    for jump in jumps:
        assert not [revision for revision in writers.revisions if jump.last < revision <= jump.to + 1]
    await _check_state(store, writers)
    await _check_log(store, start, writers)


async def _check_state(store: RedisStore, writers: Writers) -> None:
    async with store.scan() as (_, chunks):
        found = {one.key: (one.revision, one.value) async for chunk in chunks for one in chunk}
    for key, (revision, value) in writers.acknowledged.items():
        # Of an unanswered second write either may be there.
        assert found[key] == (revision, value) or (key in writers.unknown and found[key][0] > revision)
    assert not found.keys() - writers.acknowledged.keys() - writers.unknown.keys()


async def _check_log(store: RedisStore, start: int, writers: Writers) -> None:
    revisions: list[int] = []
    last = await store.revision()
    async with store.follow(start) as batches:
        while start < last:
            batch = await anext(batches)
            revisions.extend(change.revision for change in batch.changes)
            start = batch.revision
    assert revisions == sorted(set(revisions))
    assert set(writers.revisions) <= set(revisions)


async def test_an_older_copy_voids_what_came_after_it(server: RedisServer, store: RedisStore, tmp_path: Path) -> None:
    (kept,) = await must_commit(store, create("leases", "a/1"))
    await store.raise_fence(Fence("1", kept))
    await server.stop()
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    await server.start()
    lost = [(await must_commit(store, create("pods", f"a/{number}")))[0] for number in range(20)]
    async with store.follow(lost[-1]) as batches:
        await kill(server)
        shutil.rmtree(tmp_path / "data")
        shutil.move(tmp_path / "copy", tmp_path / "data")
        await server.start()
        with pytest.raises(UnavailableError):
            await anext(batches)

    assert await store.revision() > lost[-1]
    assert list(await store.read("pods", ["a/0"])) == [None]
    for stale in (lost[0], lost[-1]):
        with pytest.raises(ExpiredError, match="void"):
            async with store.follow(stale):
                pass
    async with store.follow(kept) as batches:  # what the copy holds is still true
        (new,) = await must_commit(store, create("pods", "a/0"))
        revision = 0
        while revision < new:
            revision = (await anext(batches)).revision
    assert new > lost[-1]
    await _check_fences(store, kept, lost[-1])


async def _check_fences(store: RedisStore, kept: int, lost: int) -> None:
    fenced = replace(create("pods", "a/100"), fence=Fence("1", kept))
    assert await store.commit([fenced]) == [Refused(Refusal.FENCED)]
    with pytest.raises(FencedError, match="void"):
        await store.raise_fence(Fence("1", lost))
    await store.raise_fence(Fence("1", kept))
    assert isinstance((await store.commit([fenced]))[0], Committed)


async def test_a_follower_that_saw_everything_reads_on_after_a_kill(server: RedisServer, store: RedisStore) -> None:
    (position,) = await must_commit(store, create("pods", "a/1"))
    await kill(server)
    await server.start()
    async with store.follow(position) as batches:
        (revision,) = await must_commit(store, create("pods", "a/2"))
        changes: list[Change] = []
        while position < revision:
            batch = await anext(batches)
            position = batch.revision
            changes.extend(batch.changes)
    assert [change.key for change in changes] == ["a/2"]


async def test_a_restart_between_two_writes_goes_unnoticed(server: RedisServer, store: RedisStore) -> None:
    (before,) = await must_commit(store, create("pods", "a/1"))
    await store.read("pods", ["a/1"])
    await server.stop()
    await server.start()
    (after,) = await must_commit(store, update("pods", "a/1"))
    assert after > before
    assert (await store.jumps())[-1].last == before


async def test_a_server_that_is_gone_and_comes_back(server: RedisServer, store: RedisStore) -> None:
    await must_commit(store, create("pods", "a/1"))
    await server.stop()
    for work in (store.commit([create("pods", "a/2")]), store.read("pods", ["a/1"]), store.revision()):
        with pytest.raises(UnavailableError) as raised:
            await work
        assert raised.value.outcome is Outcome.NOT_SENT
    await server.start()
    await must_commit(store, create("pods", "a/2"))


async def test_a_paused_server_is_not_waited_for(server: RedisServer, store: RedisStore) -> None:
    (before,) = await must_commit(store, create("pods", "a/1"))
    os.kill(server.pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnavailableError) as raised:
            await store.commit([update("pods", "a/1", b"while paused")])
        assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN
        with pytest.raises(UnavailableError) as raised:
            await store.commit([update("pods", "a/1", b"never sent")])
        assert raised.value.outcome is Outcome.NOT_SENT
    finally:
        os.kill(server.pid, signal.SIGCONT)
    # Whoever sent it has given it up: late, it is not carried out any more.
    assert await must_commit(store, create("pods", "a/2")) == [before + 1]
    (stored,) = await store.read("pods", ["a/1"])
    assert stored is not None
    assert stored.value == b"created"


async def test_no_commit_runs_after_it_timed_out(server: RedisServer) -> None:
    store = RedisStore(RedisSettings(server.url, call_timeout_seconds=0.3))
    before = await store.revision()
    for number in range(3):
        await must_commit(store, create("pods", f"open/{number}"))
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(UnavailableError):
                await store.commit([create("pods", f"late/{number}")])
        finally:
            os.kill(server.pid, signal.SIGCONT)
    await must_commit(store, create("pods", "a/last"))
    assert await store.revision() == before + 4
    await store.close()


async def test_a_commit_cut_in_two_by_a_crash_is_not_there_at_all(
    server: RedisServer, store: RedisStore, tmp_path: Path
) -> None:
    (before,) = await must_commit(store, create("pods", "a/1"))
    await must_commit(store, *(create("pods", f"b/{number}", b"x" * 1000) for number in range(50)))
    await kill(server)
    (tail,) = (tmp_path / "data" / "appendonlydir").glob("*.incr.aof")
    with tail.open("r+b") as file:
        file.truncate(tail.stat().st_size - 20_000)
    await server.start()
    assert list(await store.read("pods", [f"b/{number}" for number in range(50)])) == [None] * 50
    assert (await store.jumps())[-1].last == before
