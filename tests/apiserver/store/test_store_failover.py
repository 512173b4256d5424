"""Masters that become replicas and masters again: no revision is given out twice, no replica is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from rollplane_apiserver.store.interface import Mutation, Refusal, Refused, Require
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_machinery.errors import ExpiredError, Outcome, UnavailableError

from .administering import command
from .conftest import SERVERS, find_binary
from .replicas import Node, running_node
from .writing import create, must_commit


@pytest.fixture(params=SERVERS)
async def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Node, Node]]:
    binary = find_binary(request.param)
    async with running_node(binary, tmp_path) as one, running_node(binary, tmp_path) as other:
        yield one, other


@pytest.fixture
async def store(nodes: tuple[Node, Node]) -> AsyncIterator[RedisStore]:
    async with AsyncExitStack() as stack:
        store = RedisStore(RedisSettings(nodes[0].url, call_timeout_seconds=2.0))
        stack.push_async_callback(store.close)
        yield store


async def test_a_master_that_was_a_replica_of_an_older_copy_reuses_nothing(
    nodes: tuple[Node, Node], store: RedisStore
) -> None:
    one, other = nodes
    await must_commit(store, create("pods", "a/1"))
    await other.follow(one)
    await must_commit(store, create("pods", "a/2"))
    await other.cut_off()
    (lost,) = await must_commit(store, create("pods", "a/lost"))
    # The other takes over with what it has, and gets no writes; the first is its replica for a while, then master.
    await other.promote()
    await one.follow(other)
    await one.promote()
    (revision,) = await must_commit(store, create("pods", "a/3"))
    assert revision > lost
    stale = Mutation("pods", "a/3", b"stale", Require.REVISION, revision=lost)
    assert await store.commit([stale]) == [Refused(Refusal.STALE, revision)]
    with pytest.raises(ExpiredError, match="void"):
        async with store.follow(lost):
            pass


async def test_a_demoted_master_is_not_believed(nodes: tuple[Node, Node], store: RedisStore) -> None:
    one, other = nodes
    (before,) = await must_commit(store, create("pods", "a/1"))
    assert await store.revision() == before  # and a connection for reading stays open
    async with store.follow(before) as batches:
        reading = asyncio.create_task(_read_on(batches))
        await one.follow(other)
        with pytest.raises(UnavailableError):
            await reading
    for work in (store.revision(), store.read("pods", ["a/1"]), store.changes(before), store.commit([])):
        with pytest.raises(UnavailableError) as raised:
            await work
        assert raised.value.outcome is Outcome.NOT_SENT


async def _read_on(batches: AsyncIterator[object]) -> None:
    async for _ in batches:
        pass


async def test_an_older_copy_under_a_clock_that_stands_earlier(nodes: tuple[Node, Node], store: RedisStore) -> None:
    one, _ = nodes
    await must_commit(store, create("pods", "a/1"))
    meta = b"rp:{default}:meta"
    # The server's clock was ahead by a day when it gave this out.
    ahead = await store.revision() + 86_400_000_000
    await command(one.url, b"HSET", meta, b"revision", b"%d" % ahead)
    (kept,) = await must_commit(store, create("pods", "a/2"))
    lost = [(await must_commit(store, create("pods", f"lost/{number}")))[0] for number in range(20)]
    await command(one.url, b"HSET", meta, b"revision", b"%d" % kept, b"run", b"of another process")
    (revision,) = await must_commit(store, create("pods", "a/3"))
    assert revision > lost[-1]


async def test_replicas_that_are_not_waited_for_are_told_of(
    nodes: tuple[Node, Node], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = nodes
    await other.follow(one)
    for settings, warns in ((RedisSettings(one.url), True), (RedisSettings(one.url, wait_replicas=1), False)):
        caplog.clear()
        store = RedisStore(settings)
        await store.revision()
        await store.close()
        assert ("min-replicas-to-write" in caplog.text) is warns
    await command(one.url, b"CONFIG", b"SET", b"min-replicas-to-write", b"1")
    await _replicas_are_counted(one.url)
    caplog.clear()
    store = RedisStore(RedisSettings(one.url))
    await store.revision()
    assert "min-replicas-to-write" not in caplog.text
    await other.cut_off()
    with pytest.raises(UnavailableError, match="NOREPLICAS") as raised:
        await _write_on(store)
    assert raised.value.outcome is Outcome.NOT_SENT
    await store.close()


async def _replicas_are_counted(url: str) -> None:
    """Wait for the master's next count: with the one before its setting it may refuse every write."""
    for _ in range(500):
        with suppress(ResponseError, UnavailableError):
            await command(url, b"SET", b"counted", b"1")
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the master never counts its replica")


async def _write_on(store: RedisStore) -> None:
    for number in range(2000):  # a master counts its replicas once a second
        await must_commit(store, create("pods", f"a/{number}"))
        await asyncio.sleep(0.01)
