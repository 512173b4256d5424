"""A lost answer is OUTCOME_UNKNOWN and never a second commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rollplane_apiserver.store.interface import Committed, Refusal, Refused
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_machinery.api import Fence
from rollplane_machinery.errors import Outcome, UnavailableError

from .proxy import Proxy
from .writing import create, must_commit, update


@pytest.fixture
def cell(cells: Iterator[str]) -> str:
    return next(cells)


@pytest.fixture
async def proxy(server_url: str, tmp_path: Path) -> AsyncIterator[Proxy]:
    async with Proxy(Path(server_url.removeprefix("unix://")), tmp_path / "p.sock").running() as proxy:
        yield proxy


@pytest.fixture
async def direct(server_url: str, cell: str) -> AsyncIterator[RedisStore]:
    """A store that does not go through the proxy: it sees what was really committed."""
    store = RedisStore(RedisSettings(server_url, cell))
    yield store
    await store.close()


@pytest.fixture
async def store(proxy: Proxy, cell: str) -> AsyncIterator[RedisStore]:
    store = RedisStore(RedisSettings(proxy.url, cell, call_timeout_seconds=0.3))
    yield store
    await store.close()


@pytest.mark.parametrize("cut", [True, False], ids=["connection cut", "silence"])
async def test_a_lost_answer_is_one_commit(store: RedisStore, direct: RedisStore, proxy: Proxy, cut: bool) -> None:
    (before,) = await must_commit(store, create("pods", "a/1", b"1"))
    proxy.lose_answers(cut=cut)
    with pytest.raises(UnavailableError) as raised:
        await store.commit([update("pods", "a/1", b"2"), create("pods", "a/2", b"2")])
    assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN
    assert raised.value.retry_after_seconds is not None
    proxy.heal()
    # Were it sent again, by whatever layer, the update would have taken a further revision.
    assert await direct.revision() == before + 2
    assert await store.commit([create("pods", "a/2", b"3")]) == [Refused(Refusal.EXISTS, before + 2)]
    async with direct.follow(before) as batches:
        assert [change.key for change in (await anext(batches)).changes] == ["a/1", "a/2"]


async def test_an_answer_lost_while_greeting_is_not_sent(store: RedisStore, direct: RedisStore, proxy: Proxy) -> None:
    before = await direct.revision()
    proxy.lose_answers(cut=True)
    with pytest.raises(UnavailableError) as raised:
        await store.commit([create("pods", "a/1")])
    assert raised.value.outcome is Outcome.NOT_SENT
    proxy.heal()
    assert await store.commit([create("pods", "a/1")]) == [Committed(before + 1)]


async def test_a_cancelled_caller_leaves_no_answer_behind(store: RedisStore, direct: RedisStore, proxy: Proxy) -> None:
    (before,) = await must_commit(store, create("pods", "a/1", b"1"))
    proxy.lose_answers(cut=False)
    commit = asyncio.create_task(store.commit([update("pods", "a/1", b"2")]))
    await proxy.lost()
    commit.cancel()
    await asyncio.gather(commit, return_exceptions=True)
    proxy.heal()
    # The next call must not take the late answer for its own.
    assert await store.commit([create("pods", "a/2")]) == [Committed(before + 2)]
    assert await direct.revision() == before + 2


async def test_a_fence_whose_answer_is_lost_may_be_raised_again(store: RedisStore, proxy: Proxy) -> None:
    (epoch,) = await must_commit(store, create("leases", "a/1"))
    await store.revision()
    proxy.lose_answers(cut=True)
    with pytest.raises(UnavailableError) as raised:
        await store.raise_fence(Fence("1", epoch))
    assert raised.value.outcome is Outcome.OUTCOME_UNKNOWN
    proxy.heal()
    await store.raise_fence(Fence("1", epoch))


async def test_a_follower_whose_answers_are_lost_resumes_without_a_gap(
    store: RedisStore, direct: RedisStore, proxy: Proxy
) -> None:
    start = await direct.revision()
    async with store.follow(start) as batches:
        await must_commit(direct, create("pods", "a/1"))
        position = (await anext(batches)).revision
        proxy.lose_answers(cut=True)
        await must_commit(direct, create("pods", "a/2"))
        with pytest.raises(UnavailableError):
            await anext(batches)
    proxy.heal()
    await must_commit(direct, create("pods", "a/3"))
    async with store.follow(position) as batches:
        assert [change.key for change in (await anext(batches)).changes] == ["a/2", "a/3"]
