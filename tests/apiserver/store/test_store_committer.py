"""Group commit: what goes together, in which order, and who hears what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rollplane_apiserver.store.committer import CommitterLimits, GroupCommitter
from rollplane_apiserver.store.interface import Committed, Mutation, Outcome, Refused
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import BadRequestError, InternalError, TooManyRequestsError, UnavailableError
from rollplane_machinery.errors import Outcome as WriteOutcome

from .writing import create, update


class GatedStore(MemoryStore):
    """A memory store whose commits wait until the test lets them through, or fail as it says."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[list[str]] = []
        self.running = 0
        self.most_running = 0
        self.failures: dict[int, Exception] = {}
        self._open = asyncio.Event()
        self._entered = asyncio.Condition()

    def let_through(self) -> None:
        self._open.set()

    async def entered(self, commits: int) -> None:
        """Wait until so many commits have begun."""
        async with self._entered:
            await self._entered.wait_for(lambda: len(self.commits) >= commits)

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        number = len(self.commits)
        self.commits.append([mutation.key for mutation in mutations])
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        async with self._entered:
            self._entered.notify_all()
        try:
            await self._open.wait()
            if number in self.failures:
                raise self.failures[number]
            return await super().commit(mutations)
        finally:
            self.running -= 1


@asynccontextmanager
async def running(store: MemoryStore, **limits: int) -> AsyncIterator[GroupCommitter]:
    committer = GroupCommitter(store, FakeClock(), CommitterLimits(**limits))
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(committer.run())
        yield committer
        task.cancel()


def pods(prefix: str, count: int) -> list[Mutation]:
    return [create("pods", f"{prefix}/{number}") for number in range(count)]


def words(settled: Sequence[object]) -> list[str]:
    """Return one word for each result."""
    return [
        one.outcome.value
        if isinstance(one, UnavailableError)
        else one.refusal.value
        if isinstance(one, Refused)
        else "ok"
        for one in settled
    ]


async def held(store: GatedStore, committer: GroupCommitter, tasks: asyncio.TaskGroup) -> asyncio.Task[Outcome]:
    """Begin a commit that keeps the committer busy until the gate opens."""
    task = tasks.create_task(committer.write(create("pods", "first/0")))
    await store.entered(1)
    return task


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_gathers_during_a_commit_goes_together() -> None:
    store = GatedStore()
    async with running(store) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        singles = [tasks.create_task(committer.write(mutation)) for mutation in pods("a", 5)]
        batch = tasks.create_task(committer.write_batch(pods("b", 3)))
        await settle()
        store.let_through()
        assert [await single for single in singles] == [Committed(number) for number in range(2, 7)]
        assert await batch == [Committed(7), Committed(8), Committed(9)]
    assert store.commits[1:] == [[f"a/{n}" for n in range(5)] + [f"b/{n}" for n in range(3)]]


async def test_singles_go_before_batches_that_came_earlier() -> None:
    store = GatedStore()
    async with running(store, commit_items=4) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        tasks.create_task(committer.write_batch(pods("b", 10)))
        await settle()
        tasks.create_task(committer.write(create("pods", "single/0")))
        await settle()
        store.let_through()
    assert store.commits[1] == ["single/0", "b/0", "b/1", "b/2"]
    assert store.commits[2:] == [[f"b/{n}" for n in range(3, 7)], [f"b/{n}" for n in range(7, 10)]]


async def test_batches_are_served_in_turn() -> None:
    store = GatedStore()
    async with running(store, commit_items=4) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        for name in "bc":
            tasks.create_task(committer.write_batch(pods(name, 6)))
        await settle()
        store.let_through()
    keys = [key for commit in store.commits[1:] for key in commit]
    assert keys == [mutation.key for name in "bc" for mutation in pods(name, 6)]
    assert [len(commit) for commit in store.commits] == [1, 4, 4, 4]


async def test_a_commit_is_bounded_in_bytes() -> None:
    store = GatedStore()
    store.let_through()
    batch = [create("pods", f"a/{number}", b"x" * size) for number, size in enumerate((40, 40, 40, 500, 10))]
    async with running(store, commit_bytes=100) as committer:
        assert words(await committer.write_batch(batch)) == ["ok"] * 5
    assert store.commits == [["a/0", "a/1"], ["a/2"], ["a/3"], ["a/4"]]


async def test_so_many_commits_run_at_once() -> None:
    for in_flight in (1, 2):
        store = GatedStore()
        async with running(store, in_flight=in_flight, commit_items=2) as committer, asyncio.TaskGroup() as tasks:
            for mutation in pods("a", 9):
                tasks.create_task(committer.write(mutation))
            await store.entered(in_flight)
            await settle()
            assert store.running == in_flight
            store.let_through()
        assert store.most_running == in_flight


async def test_a_batch_is_never_in_two_commits_at_once() -> None:
    store = GatedStore()
    async with running(store, in_flight=2, commit_items=4) as committer, asyncio.TaskGroup() as tasks:
        batch = tasks.create_task(committer.write_batch(pods("a", 10)))
        await store.entered(1)
        await settle()
        assert len(store.commits) == 1
        store.let_through()
        assert list(await batch) == [Committed(number) for number in range(1, 11)]


async def test_a_group_that_spans_commits_stops_at_its_first_failure() -> None:
    store = GatedStore()
    store.let_through()
    await store.commit([create("pods", "a/1")])
    batch = [replace(mutation, group="g") for mutation in pods("a", 6)] + [create("pods", "other/0")]
    async with running(store, commit_items=3) as committer:
        settled = await committer.write_batch(batch)
    assert words(settled) == ["ok", "exists", *["not attempted"] * 4, "ok"]
    assert store.commits[1:] == [["a/0", "a/1", "a/2"], ["other/0"]]


async def test_a_group_whose_rest_is_never_sent() -> None:
    store = GatedStore()
    store.let_through()
    batch = [replace(update("pods", f"a/{number}"), group="g") for number in range(6)]
    async with running(store, commit_items=3) as committer:
        assert words(await committer.write_batch(batch)) == ["missing", *["not attempted"] * 5]
    assert len(store.commits) == 1


async def test_groups_of_two_callers_with_one_name_are_two() -> None:
    store = GatedStore()
    async with running(store) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        bad = tasks.create_task(committer.write_batch([replace(update("pods", "missing/0"), group="g")]))
        good = tasks.create_task(committer.write_batch([replace(create("pods", "a/0"), group="g")]))
        await settle()
        store.let_through()
        assert words(await bad) == ["missing"]
        assert words(await good) == ["ok"]
    assert len(store.commits) == 2


async def test_a_group_is_not_that_of_another_caller_whatever_it_is_called() -> None:
    store = GatedStore()
    names = ["g", "1/g", "2/g", "1/1/g", "2/2/g"]
    async with running(store) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        bad = [replace(update("pods", f"missing/{number}"), group=name) for number, name in enumerate(names)]
        good = [replace(create("pods", f"a/{number}"), group=name) for number, name in enumerate(reversed(names))]
        refused, made = tasks.create_task(committer.write_batch(bad)), tasks.create_task(committer.write_batch(good))
        await settle()
        store.let_through()
        assert words(await refused) == ["missing"] * len(names)
        assert words(await made) == ["ok"] * len(names)


async def test_a_caller_that_goes_away_does_not_cancel_its_commit() -> None:
    store = GatedStore()
    async with running(store) as committer, asyncio.TaskGroup() as tasks:
        first = await held(store, committer, tasks)
        waiting = tasks.create_task(committer.write(create("pods", "a/0")))
        companion = tasks.create_task(committer.write(create("pods", "a/1")))
        await settle()
        first.cancel()
        waiting.cancel()
        await settle()
        store.let_through()
        assert await companion == Committed(3)
    assert None not in await store.read("pods", ["first/0", "a/0", "a/1"])


async def test_too_much_is_refused_with_a_delay() -> None:
    store = GatedStore()
    async with running(store, queued_items=5) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        tasks.create_task(committer.write_batch(pods("a", 4)))
        await settle()
        with pytest.raises(TooManyRequestsError) as raised:
            await committer.write_batch(pods("b", 2))
        assert raised.value.retry_after_seconds == pytest.approx(0.2)
        single = tasks.create_task(committer.write(create("pods", "c/0")))  # the other lane has room
        store.let_through()
        await single
    assert await store.read("pods", ["b/0"]) == [None]


async def test_room_comes_back_when_commits_are_done() -> None:
    store = GatedStore()
    store.let_through()
    async with running(store, queued_items=5, commit_items=2) as committer:
        for name in "abcd":
            assert words(await committer.write_batch(pods(name, 5))) == ["ok"] * 5
        # More than the bound, but nothing else waits.
        assert words(await committer.write_batch(pods("e", 8))) == ["ok"] * 8


UNKNOWN = UnavailableError("no answer", outcome=WriteOutcome.OUTCOME_UNKNOWN)


async def test_everyone_in_a_lost_commit_hears_of_it_and_nobody_else() -> None:
    store = GatedStore()
    store.failures[1] = UNKNOWN
    async with running(store, commit_items=4) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        single = tasks.create_task(_caught(committer, create("pods", "single/0")))
        batch = tasks.create_task(committer.write_batch(pods("b", 6)))
        later = tasks.create_task(committer.write_batch(pods("c", 2)))
        await settle()
        store.let_through()
        assert (await single).outcome is WriteOutcome.OUTCOME_UNKNOWN
        assert words(await batch) == ["OUTCOME_UNKNOWN"] * 3 + ["NOT_SENT"] * 3
        assert words(await later) == ["ok", "ok"]
    assert store.commits[1:] == [["single/0", "b/0", "b/1", "b/2"], ["c/0", "c/1"]]


async def test_nonsense_fails_its_caller_alone() -> None:
    store = GatedStore()
    async with running(store) as committer, asyncio.TaskGroup() as tasks:
        await held(store, committer, tasks)
        companion = tasks.create_task(committer.write(create("pods", "a/1")))
        with pytest.raises(BadRequestError):
            await committer.write(create("pods", "a/\0"))
        store.let_through()
        assert await companion == Committed(2)


async def test_nothing_to_write() -> None:
    async with running(MemoryStore()) as committer:
        assert list(await committer.write_batch([])) == []


async def test_a_defect_in_the_store_fails_its_commit_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    store = GatedStore()
    store.let_through()
    store.failures[0] = ValueError("a defect")
    async with running(store) as committer:
        with pytest.raises(InternalError, match="a defect") as raised:
            await committer.write(create("pods", "a/0"))
        assert raised.value.outcome is WriteOutcome.OUTCOME_UNKNOWN
        assert isinstance(await committer.write(create("pods", "a/0")), Committed)
    assert [record.message for record in caplog.records if record.exc_info] == ["a commit failed"]


async def test_stopping_answers_everyone() -> None:
    store = GatedStore()
    committer = GroupCommitter(store, FakeClock(), CommitterLimits(commit_items=2))
    run = asyncio.create_task(committer.run())
    in_flight = asyncio.create_task(_caught(committer, create("pods", "a/0")))
    await store.entered(1)
    queued = asyncio.create_task(committer.write_batch(pods("b", 3)))
    await settle()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert (await in_flight).outcome is WriteOutcome.OUTCOME_UNKNOWN
    assert words(await queued) == ["NOT_SENT"] * 3
    assert (await _caught(committer, create("pods", "c/0"))).outcome is WriteOutcome.NOT_SENT


async def test_commits_are_observed() -> None:
    clock = FakeClock()
    seen: list[tuple[int, float]] = []

    def observe(items: int, seconds: float) -> None:
        seen.append((items, seconds))

    store = GatedStore()
    committer = GroupCommitter(store, clock, observe=observe)
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(committer.run())
        batch = tasks.create_task(committer.write_batch(pods("a", 3)))
        await store.entered(1)
        await clock.advance(0.5)
        store.let_through()
        await batch
        run.cancel()
    assert seen == [(3, 0.5)]


async def _caught(committer: GroupCommitter, mutation: Mutation) -> UnavailableError:
    try:
        await committer.write(mutation)
    except UnavailableError as exc:
        return exc
    raise AssertionError("it was committed")
