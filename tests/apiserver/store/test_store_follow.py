"""What interface.py promises of the log, asked of every store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from rollplane_apiserver.store.interface import BATCH_BYTES, Change, LogBatch, Mutation, Store
from rollplane_machinery.api import EventType
from rollplane_machinery.errors import ExpiredError, UnavailableError

from .conftest import NewStore
from .writing import create, delete, must_commit, update

ADDED, MODIFIED, DELETED = EventType.ADDED, EventType.MODIFIED, EventType.DELETED

CHANGES: dict[str, tuple[Sequence[Mutation], Sequence[tuple[EventType, bytes, bytes | None]]]] = {
    "create": ([create("pods", "a/1", b"1")], [(ADDED, b"1", None)]),
    "create, previous wanted": ([replace(create("pods", "a/1", b"1"), log_previous=True)], [(ADDED, b"1", None)]),
    "update": (
        [create("pods", "a/1", b"1"), update("pods", "a/1", b"2")],
        [(ADDED, b"1", None), (MODIFIED, b"2", None)],
    ),
    "update, previous wanted": (
        [create("pods", "a/1", b"1"), replace(update("pods", "a/1", b"2"), log_previous=True)],
        [(ADDED, b"1", None), (MODIFIED, b"2", b"1")],
    ),
    "update of an empty value, previous wanted": (
        [create("pods", "a/1", b""), replace(update("pods", "a/1", b"2"), log_previous=True)],
        [(ADDED, b"", None), (MODIFIED, b"2", b"")],
    ),
    "delete": ([create("pods", "a/1", b"1"), delete("pods", "a/1")], [(ADDED, b"1", None), (DELETED, b"1", b"1")]),
    "create again": (
        [create("pods", "a/1", b"1"), delete("pods", "a/1"), create("pods", "a/1", b"2")],
        [(ADDED, b"1", None), (DELETED, b"1", b"1"), (ADDED, b"2", None)],
    ),
}


@pytest.mark.parametrize(("mutations", "wanted"), CHANGES.values(), ids=CHANGES)
async def test_the_log_tells_what_happened(
    store: Store, mutations: Sequence[Mutation], wanted: Sequence[tuple[EventType, bytes, bytes | None]]
) -> None:
    start = await store.revision()
    await must_commit(store, *mutations)
    async with store.follow(start) as batches:
        batch = await anext(batches)
    assert list(batch.changes) == [
        Change(start + number, event, "pods", "a/1", value, previous)
        for number, (event, value, previous) in enumerate(wanted, 1)
    ]
    assert batch.revision == start + len(wanted)


async def test_refused_mutations_are_not_in_the_log(store: Store) -> None:
    start = await store.revision()
    await store.commit([create("pods", "a/1"), create("pods", "a/1"), create("pods", "a/2")])
    async with store.follow(start) as batches:
        assert [change.key for change in (await anext(batches)).changes] == ["a/1", "a/2"]


async def test_following_begins_behind_any_revision(store: Store) -> None:
    start = await store.revision()
    await must_commit(store, *(create("pods", f"a/{number}") for number in range(10)))
    for after in range(start, start + 10):
        assert await _revisions(store, after, start + 10) == list(range(after + 1, start + 11))


async def test_a_long_log_comes_in_batches(store: Store) -> None:
    start = await store.revision()
    for block in range(6):
        await must_commit(store, *(create("pods", f"a/{block}-{number}") for number in range(200)))
    async with store.follow(start) as batches:
        sizes: list[int] = []
        while sum(sizes) < 1200:
            batch = await anext(batches)
            sizes.append(len(batch.changes))
            assert batch.revision == start + sum(sizes)
    assert max(sizes) <= 512


async def test_large_changes_come_in_smaller_batches(new_store: NewStore) -> None:
    store = new_store(log_bytes=256 * 1024 * 1024)
    start = await store.revision()
    large, huge = b"x" * 3_000_000, b"x" * (BATCH_BYTES + 1)
    values = [large, large, large, b"small", huge, b"small", large]
    for number, value in enumerate(values):
        await must_commit(store, create("pods", f"a/{number}", value))
    async with store.follow(start) as batches:
        followed = [await anext(batches) for _ in range(4)]
    assert [[len(change.value) for change in batch.changes] for batch in followed] == [
        [3_000_000, 3_000_000],
        [3_000_000, 5],
        [len(huge)],
        [5, 3_000_000],
    ]
    first = await store.changes(start)
    assert (len(first.changes), first.revision) == (2, start + 2)


async def test_what_a_change_replaced_counts_for_its_batch(new_store: NewStore) -> None:
    store = new_store(log_bytes=256 * 1024 * 1024)
    large = b"x" * 3_000_000
    (start,) = await must_commit(store, create("pods", "a/1", large))
    for _ in range(2):
        await must_commit(store, replace(update("pods", "a/1", large), log_previous=True))
    assert len((await store.changes(start)).changes) == 1


async def test_an_idle_follower_hears_each_second_where_it_stands(store: Store) -> None:
    (revision,) = await must_commit(store, create("pods", "a/1"))
    async with store.follow(revision) as batches, asyncio.timeout(2):
        batch = await anext(batches)
    assert (list(batch.changes), batch.revision) == ([], revision)


async def test_a_waiting_follower_is_woken(store: Store) -> None:
    start = await store.revision()
    async with store.follow(start) as batches, asyncio.timeout(5):
        waiting = asyncio.create_task(_next_changes(batches))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        await must_commit(store, create("pods", "a/1"))
        assert [change.key for change in await waiting] == ["a/1"]


async def test_followers_do_not_take_from_each_other(store: Store) -> None:
    start = await store.revision()
    async with store.follow(start) as one, store.follow(start) as other:
        await must_commit(store, create("pods", "a/1"), create("pods", "a/2"))
        assert await _next_changes(one) == await _next_changes(other)


async def test_a_follower_reads_on_while_others_write(store: Store) -> None:
    start = await store.revision()

    async def write(caller: int) -> None:
        for number in range(50):
            await must_commit(store, create("pods", f"{caller}/{number}"), update("pods", f"{caller}/{number}"))

    read, *_ = await asyncio.gather(_revisions(store, start, start + 400), *(write(caller) for caller in range(4)))
    assert read == list(range(start + 1, start + 401))


async def test_scan_and_then_follow_is_exact(store: Store) -> None:
    for block in range(4):
        await must_commit(store, *(create("pods", f"a/{block}-{number}", b"x" * 80) for number in range(200)))

    async def disturb() -> None:
        for number in range(100):
            await must_commit(store, delete("pods", f"a/0-{number}"), update("pods", f"a/1-{number}", b"%d" % number))
            await must_commit(store, create("pods", f"b/{number}", b"new"))

    async with asyncio.TaskGroup() as tasks, store.scan() as (revision, chunks):
        disturbing = tasks.create_task(disturb())
        state = {}
        async for chunk in chunks:
            state.update({stored.key: (stored.revision, stored.value) for stored in chunk})
            await asyncio.sleep(0)
        await disturbing
    await _replay(store, state, revision, await store.revision())
    async with store.scan() as (_, chunks):
        wanted = {stored.key: (stored.revision, stored.value) async for chunk in chunks for stored in chunk}
    assert state == wanted


async def test_the_log_is_trimmed_by_count(new_store: NewStore) -> None:
    store = new_store(log_entries=100)
    start = await store.revision()
    for number in range(50):
        await must_commit(store, *(create("pods", f"a/{number}-{part}") for part in range(10)))
    oldest, newest = await store.oldest_revision(), await store.revision()
    assert newest - 100 <= oldest <= newest - 60
    await _check_bounds(store, oldest, newest, start)


async def test_the_log_is_trimmed_by_bytes(new_store: NewStore) -> None:
    store = new_store(log_bytes=100_000)
    start = await store.revision()
    for number in range(50):
        await must_commit(store, *(create("pods", f"a/{number}-{part}", b"x" * 1000) for part in range(10)))
    oldest, newest = await store.oldest_revision(), await store.revision()
    assert newest - 100 <= oldest <= newest - 60
    await _check_bounds(store, oldest, newest, start)


async def test_previous_values_count_for_the_bytes(new_store: NewStore) -> None:
    store = new_store(log_bytes=100_000)
    await must_commit(store, create("pods", "a/1", b"x" * 1000))
    for _ in range(100):
        await must_commit(store, replace(update("pods", "a/1", b"x" * 1000), log_previous=True))
    assert await store.oldest_revision() >= await store.revision() - 50


async def test_a_log_smaller_than_a_commit(new_store: NewStore) -> None:
    store = new_store(log_entries=1)
    revisions = await must_commit(store, *(create("pods", f"a/{number}") for number in range(20)))
    assert revisions[-2] <= await store.oldest_revision() <= revisions[-1]
    async with store.follow(revisions[-1]):
        pass
    with pytest.raises(ExpiredError):
        async with store.follow(revisions[-3]):
            pass
    assert None not in await store.read("pods", [f"a/{number}" for number in range(20)])


async def test_a_follower_that_falls_behind_expires(new_store: NewStore) -> None:
    store = new_store(log_entries=100)
    start = await store.revision()
    await must_commit(store, create("pods", "a/first"))
    async with store.follow(start) as batches:
        assert len((await anext(batches)).changes) == 1
        for number in range(50):
            await must_commit(store, *(create("pods", f"a/{number}-{part}") for part in range(10)))
        with pytest.raises(ExpiredError):
            await anext(batches)


async def test_a_revision_never_given_out_expires(store: Store) -> None:
    with pytest.raises(ExpiredError):
        async with store.follow(await store.revision() + 1):
            pass


async def test_closing_the_store_ends_its_followers(new_store: NewStore) -> None:
    store = new_store()
    async with store.follow(await store.revision()) as batches, asyncio.timeout(5):
        waiting = asyncio.create_task(_next_changes(batches))
        for _ in range(10):
            await asyncio.sleep(0)
        await store.close()
        with pytest.raises(UnavailableError):
            await waiting


async def _check_bounds(store: Store, oldest: int, newest: int, start: int) -> None:
    assert await _revisions(store, oldest, newest) == list(range(oldest + 1, newest + 1))
    for after in (oldest - 1, start):
        with pytest.raises(ExpiredError):
            async with store.follow(after):
                pass


async def _next_changes(batches: AsyncIterator[LogBatch]) -> Sequence[Change]:
    while True:
        batch = await anext(batches)
        if batch.changes:
            return batch.changes


async def _revisions(store: Store, after: int, last: int) -> list[int]:
    read: list[int] = []
    async with store.follow(after) as batches:
        while after < last:
            batch = await anext(batches)
            read.extend(change.revision for change in batch.changes)
            after = batch.revision
    return read


async def _replay(store: Store, state: dict[str, tuple[int, bytes]], after: int, last: int) -> None:
    async with store.follow(after) as batches:
        while after < last:
            batch = await anext(batches)
            after = batch.revision
            for change in batch.changes:
                if change.type is DELETED:
                    state.pop(change.key, None)
                else:
                    state[change.key] = (change.revision, change.value)
