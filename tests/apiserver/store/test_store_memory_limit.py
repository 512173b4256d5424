"""A server at its limit of memory: what makes the cell smaller goes through, and nothing is thrown away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollplane_apiserver.store.greeting import EvictionPolicyError
from rollplane_apiserver.store.interface import Committed, Refusal, Refused
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.store.redis_store import RedisStore
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import Outcome, UnavailableError

from .administering import command
from .conftest import NewRedisStore
from .test_store_tokens import named
from .writing import create, delete, must_commit, update


@pytest.fixture
async def full(new_redis_store: NewRedisStore, server_url: str) -> AsyncIterator[RedisStore]:
    """A store with two objects on a server that has no memory left; its connections are opened after that."""
    await must_commit(new_redis_store(), create("pods", "a/1", b"x" * 1000), named(create("pods", "a/2"), "w/1"))
    await command(server_url, b"CONFIG", b"SET", b"maxmemory", b"1")
    yield new_redis_store()
    await command(server_url, b"CONFIG", b"SET", b"maxmemory", b"0")


async def test_deletions_go_through_beside_refused_writes(full: RedisStore) -> None:
    before = await full.revision()
    outcomes = await full.commit(
        [create("pods", "a/3"), delete("pods", "a/2"), update("pods", "a/1", b"y" * 2000), delete("pods", "a/4")]
    )
    assert outcomes == [
        Refused(Refusal.NO_MEMORY),
        Committed(before + 1),
        Refused(Refusal.NO_MEMORY, before - 1),
        Refused(Refusal.MISSING),
    ]


async def test_the_store_in_memory_does_the_same() -> None:
    store = MemoryStore()
    await must_commit(store, create("namespaces", "/a"))
    await must_commit(store, create("pods", "a/1", b"x" * 1000))
    store.full = True
    assert await store.commit([create("pods", "a/3"), update("pods", "a/1", b"y" * 2000)]) == [
        Refused(Refusal.NO_MEMORY),
        Refused(Refusal.NO_MEMORY, 2),
    ]
    assert await store.commit([update("pods", "a/1", b"y" * 1500), delete("pods", "a/1")]) == [
        Committed(3),
        Committed(4),
    ]


async def test_what_grows_an_object_by_little_goes_through(full: RedisStore) -> None:
    before = await full.revision()
    told = update("pods", "a/1", b"x" * 1000 + b" with a condition".ljust(500))
    assert await full.commit([told]) == [Committed(before + 1)]


async def test_tokens_are_answered(full: RedisStore) -> None:
    assert await full.commit([named(create("pods", "a/2"), "w/1")]) == [Committed(await full.revision(), repeated=True)]


async def test_fences_are_raised(full: RedisStore) -> None:
    await full.raise_fence(Fence("1", await full.revision()))


async def test_deletions_free_the_log(full: RedisStore) -> None:
    start = await full.oldest_revision()
    before = await full.revision()
    async with full.follow(before) as batches:
        await must_commit(full, delete("pods", "a/1"))
        assert [change.key for change in (await anext(batches)).changes] == ["a/1"]
    assert start < await full.oldest_revision() <= before


async def test_writing_goes_on_once_there_is_memory(full: RedisStore, server_url: str) -> None:
    assert await full.commit([create("pods", "a/3")]) == [Refused(Refusal.NO_MEMORY)]
    await command(server_url, b"CONFIG", b"SET", b"maxmemory", b"0")
    await must_commit(full, create("pods", "a/3"))


@pytest.mark.parametrize("policy", [b"allkeys-lru", b"allkeys-random"])
async def test_a_server_that_throws_keys_away_is_refused(
    new_redis_store: NewRedisStore, server_url: str, policy: bytes
) -> None:
    await command(server_url, b"CONFIG", b"SET", b"maxmemory-policy", policy)
    try:
        with pytest.raises(EvictionPolicyError, match="maxmemory-policy noeviction"):
            await new_redis_store().revision()
    finally:
        await command(server_url, b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction")
    await new_redis_store().revision()


async def test_a_server_that_comes_to_throw_keys_away_is_unavailable_until_it_is_mended(
    new_redis_store: NewRedisStore, server_url: str
) -> None:
    """A process that has begun is not ended by what somebody does to a server under it."""
    store = new_redis_store()
    await must_commit(store, create("pods", "a/1"))
    await command(server_url, b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-lru")
    await command(server_url, b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
    try:
        with pytest.raises(UnavailableError, match="maxmemory-policy noeviction") as told:
            await until_greeted(store)
        assert told.value.outcome is Outcome.NOT_SENT
    finally:
        await command(server_url, b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction")
    await must_commit(store, create("pods", "a/2"))


async def until_greeted(store: RedisStore) -> None:
    """Ask until the server is greeted anew: a connection that was cut may be noticed by its first use only."""
    while True:
        try:
            await store.commit(())
        except UnavailableError as exc:
            if "maxmemory-policy" in exc.message:
                raise


async def test_whether_memory_is_short_is_told(full: RedisStore, server_url: str) -> None:
    assert not full.memory_is_short
    await full.commit(())
    assert full.memory_is_short
    await command(server_url, b"CONFIG", b"SET", b"maxmemory", b"0")
    await full.commit(())
    assert not full.memory_is_short
