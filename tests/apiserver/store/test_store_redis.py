"""What only a store in Redis has to get right: its layout, its server, several apiservers on one cell."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

import pytest

from rollplane_apiserver.store.greeting import LayoutError
from rollplane_apiserver.store.interface import Committed
from rollplane_apiserver.store.layout import SCHEMA, Keys
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.scripts import Script
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import (
    BadRequestError,
    ExpiredError,
    FencedError,
    InternalError,
    Outcome,
    UnavailableError,
)

from .administering import command, empty_cell
from .conftest import NewRedisStore
from .writing import create, must_commit, update


@pytest.fixture
def cell(cells: Iterator[str]) -> str:
    return next(cells)


async def test_a_new_cell_begins_above_all_that_an_emptied_one_gave_out(
    new_redis_store: NewRedisStore, server_url: str, cell: str
) -> None:
    store = new_redis_store(cell=cell)
    (revision,) = await must_commit(store, create("pods", "a/1"))
    assert await store.revision() == revision
    await empty_cell(server_url, cell)
    assert await store.revision() == await store.oldest_revision() == 0
    again = new_redis_store(cell=cell)
    (jump,) = await again.jumps()
    assert jump.last == 0
    assert jump.to > revision
    assert await must_commit(again, create("pods", "a/1")) == [jump.to + 2]


async def test_a_follower_of_an_emptied_cell_expires(
    new_redis_store: NewRedisStore, server_url: str, cell: str
) -> None:
    store = new_redis_store(cell=cell)
    (revision,) = await must_commit(store, create("pods", "a/1"))
    async with store.follow(revision) as batches:
        await empty_cell(server_url, cell)
        with pytest.raises(ExpiredError):
            await anext(batches)


async def test_a_follower_of_an_emptied_and_refilled_cell_expires(
    new_redis_store: NewRedisStore, server_url: str, cell: str
) -> None:
    store = new_redis_store(cell=cell)
    (revision,) = await must_commit(store, create("pods", "a/1"))
    async with store.follow(revision) as batches:
        await empty_cell(server_url, cell)
        await must_commit(new_redis_store(cell=cell), create("pods", "a/1"))
        with pytest.raises(ExpiredError):
            await anext(batches)


async def test_a_server_that_is_another_makes_the_revision_jump(
    new_redis_store: NewRedisStore, server_url: str, cell: str
) -> None:
    store = new_redis_store(cell=cell)
    (epoch,) = await must_commit(store, create("leases", "a/1"))
    await store.raise_fence(Fence("1", epoch))
    last = await store.revision()
    await command(server_url, b"HSET", Keys(cell).meta, b"run", b"of another server")
    async with store.follow(epoch) as batches:
        (revision,) = await must_commit(store, create("pods", "a/1"))
        _, jump = await store.jumps()
        assert jump.last == last
        assert revision == jump.to + 2
        # Nothing was lost before ``last``, so who stood there reads on, over the jump.
        seen = [await anext(batches)]
        while seen[-1].revision < revision:
            seen.append(await anext(batches))
    assert [change.revision for batch in seen for change in batch.changes] == [revision]
    with pytest.raises(FencedError, match="void"):
        await store.raise_fence(Fence("2", jump.to))
    for void in (jump.last + 1, jump.to):
        with pytest.raises(ExpiredError, match="void"):
            async with store.follow(void):
                pass
    async with store.follow(jump.to + 1):
        pass
    assert await command(server_url, b"EXISTS", Keys(cell).fence) == 0


async def test_one_server_makes_one_jump(new_redis_store: NewRedisStore) -> None:
    first = await new_redis_store().jumps()
    for _ in range(3):
        assert await new_redis_store().jumps() == first


async def test_two_stores_on_one_cell_see_each_other(new_redis_store: NewRedisStore) -> None:
    one, other = new_redis_store(), new_redis_store()
    async with other.follow(await other.revision()) as batches:
        (revision,) = await must_commit(one, create("pods", "a/1"))
        assert (await anext(batches)).revision == revision
    (stored,) = await other.read("pods", ["a/1"])
    assert stored is not None
    assert stored.revision == revision


async def test_cells_do_not_see_each_other(new_redis_store: NewRedisStore, cells: Iterator[str]) -> None:
    one, other = new_redis_store(cell=next(cells)), new_redis_store(cell=next(cells))
    await must_commit(one, create("pods", "a/1"))
    assert list(await other.read("pods", ["a/1"])) == [None]
    await must_commit(other, create("pods", "a/1"))


async def test_flushed_scripts_are_loaded_again(new_redis_store: NewRedisStore, server_url: str) -> None:
    store = new_redis_store(commit_links=1, read_links=1)
    (epoch,) = await must_commit(store, create("pods", "a/1"))
    await command(server_url, b"SCRIPT", b"FLUSH")
    assert await store.commit([update("pods", "a/1")]) == [Committed(epoch + 1)]
    await store.raise_fence(Fence("1", epoch))
    await command(server_url, b"SCRIPT", b"FLUSH")
    await store.raise_fence(Fence("1", epoch))


async def test_data_of_another_layout_are_refused(new_redis_store: NewRedisStore, server_url: str, cell: str) -> None:
    await must_commit(new_redis_store(cell=cell), create("pods", "a/1"))
    await command(server_url, b"HSET", Keys(cell).meta, b"schema", b"99")
    with pytest.raises(LayoutError, match=f"layout version 99, this Rollplane reads version {SCHEMA}"):
        await new_redis_store(cell=cell).revision()


async def test_data_in_other_shards_are_refused(new_redis_store: NewRedisStore, server_url: str, cell: str) -> None:
    await must_commit(new_redis_store(cell=cell), create("pods", "a/1"))
    await command(server_url, b"HSET", Keys(cell).meta, b"shards", b"32")
    with pytest.raises(LayoutError, match="32 shards"):
        await new_redis_store(cell=cell).commit([])


async def test_data_of_an_older_layout_are_upgraded(new_redis_store: NewRedisStore, server_url: str, cell: str) -> None:
    (revision,) = await must_commit(new_redis_store(cell=cell), create("pods", "a/1"))
    await command(server_url, b"HSET", Keys(cell).meta, b"schema", b"%d" % (SCHEMA - 2))
    upgrades = {SCHEMA - 2: _set_schema(SCHEMA - 1), SCHEMA - 1: _set_schema(SCHEMA)}
    store = RedisStore(RedisSettings(server_url, cell), upgrades=upgrades)
    assert await store.revision() == revision
    await store.close()
    await must_commit(new_redis_store(cell=cell), update("pods", "a/1"))


async def test_data_of_the_first_layout_keep_their_books(
    new_redis_store: NewRedisStore, server_url: str, cell: str
) -> None:
    keys = Keys(cell)
    (revision,) = await must_commit(new_redis_store(cell=cell), create("pods", "a/1", b"12345"))
    log, tokens = await command(server_url, b"HMGET", keys.meta, b"log", b"tokens")
    names = (b"entries", b"bytes", b"open_entries", b"open_bytes", b"token_entries", b"token_bytes", b"tokens_since")
    numbers = (*struct.unpack(">4Q", log), *struct.unpack(">3Q", tokens))
    fields = [part for name, number in zip(names, numbers, strict=True) for part in (name, b"%d" % number)]
    await command(server_url, b"HDEL", keys.meta, b"log", b"tokens")
    await command(server_url, b"HSET", keys.meta, b"schema", b"1", *fields)
    store = new_redis_store(cell=cell)
    assert await store.revision() == revision
    assert await command(server_url, b"HMGET", keys.meta, b"log", b"tokens", b"schema") == [log, tokens, b"2"]
    assert await command(server_url, b"HMGET", keys.meta, *names) == [None] * len(names)
    assert await store.commit([update("pods", "a/1")]) == [Committed(revision + 1)]


async def test_data_that_are_not_ours_are_a_defect(new_redis_store: NewRedisStore, server_url: str, cell: str) -> None:
    await command(server_url, b"SET", Keys(cell).objects("pods"), b"a string")
    with pytest.raises(InternalError, match="WRONGTYPE"):
        await new_redis_store(cell=cell).commit([create("pods", "a/1")])


async def test_missing_replicas_make_the_outcome_unknown(new_redis_store: NewRedisStore) -> None:
    store = new_redis_store(wait_replicas=1, call_timeout_seconds=1.0)
    with pytest.raises(UnavailableError, match="0 of 1 replicas") as raised:
        await store.commit([create("pods", "a/1")])
    assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN
    assert (await store.read("pods", ["a/1"]))[0] is not None


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis+sentinel://a,b/main"])
def test_a_url_that_is_not_understood(url: str) -> None:
    with pytest.raises(BadRequestError, match="URL"):
        RedisStore(RedisSettings(url))


async def test_nobody_listens() -> None:
    store = RedisStore(RedisSettings("redis://127.0.0.1:1"))
    with pytest.raises(UnavailableError, match="cannot be reached") as raised:
        await store.commit([create("pods", "a/1")])
    assert raised.value.outcome is Outcome.NOT_SENT
    assert raised.value.retry_after_seconds is not None
    await store.close()


def _set_schema(version: int) -> Script:
    source = f"#!lua\nreturn redis.call('HSET', KEYS[1], 'schema', '{version}')".encode()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())


async def test_a_follower_at_the_end_of_the_log_reads_without_a_script(
    new_redis_store: NewRedisStore, server_url: str
) -> None:
    """It must do so within a moment, which a busy machine may miss: one time in five is enough."""
    store = new_redis_store()
    (revision,) = await must_commit(store, create("pods", "a/1"))
    async with store.follow(revision - 1) as batches:
        assert len((await anext(batches)).changes) == 1
        for number in range(5):
            before = await scripts_run(server_url)
            await must_commit(store, *(create("pods", f"b/{number}-{one}") for one in range(20)))
            batch = await anext(batches)
            if await scripts_run(server_url) == before + 1:
                assert len(batch.changes) == 20
                return
    pytest.fail("each read took a script")


async def scripts_run(url: str) -> int:
    """Return how many scripts the server has run."""
    stats = (await command(url, b"INFO", b"commandstats")).decode()
    return int(stats.partition("cmdstat_evalsha:calls=")[2].partition(",")[0])
