"""The work queue: each key once, one worker at a time, back-off, delays, closing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rollplane_client.backoff import Backoff
from rollplane_client.work_queue import WorkQueue
from rollplane_machinery.clock import FakeClock

EVER = float("inf")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> WorkQueue[str]:
    return WorkQueue(clock=clock, backoff=Backoff(base_seconds=1.0, cap_seconds=10.0, spread=0.0))


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_key_added_twice_is_taken_once_in_order(queue: WorkQueue[str]) -> None:
    for key in ("b", "a", "b"):
        queue.add(key)
    assert await queue.take(10) == ["b", "a"]
    assert len(queue) == 0


async def test_the_more_urgent_are_taken_first(clock: FakeClock) -> None:
    queue: WorkQueue[str] = WorkQueue(clock=clock, urgency=lambda key: int(key[1:]))
    for key in ("a0", "b5", "c-1", "d5", "e0"):
        queue.add(key)
    assert await queue.take(3) == ["b5", "d5", "a0"]
    queue.add("f9")
    assert await queue.take(9) == ["f9", "e0", "c-1"]


async def test_take_returns_at_most_limit(queue: WorkQueue[str]) -> None:
    for key in "abc":
        queue.add(key)
    assert await queue.take(2) == ["a", "b"]
    assert await queue.take() == ["c"]


async def test_a_key_in_process_comes_back_only_when_done(queue: WorkQueue[str]) -> None:
    queue.add("a")
    await queue.take()
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await queue.take(5) == ["a"]
    queue.done("a")
    assert len(queue) == 0


async def test_take_blocks_until_something_is_added(queue: WorkQueue[str]) -> None:
    taken = asyncio.ensure_future(queue.take(5))
    await settle()
    assert not taken.done()
    queue.add("a")
    assert await taken == ["a"]


async def test_of_several_takers_each_key_goes_to_one(queue: WorkQueue[str]) -> None:
    takers = [asyncio.ensure_future(queue.take()) for _ in range(3)]
    await settle()
    for key in "abc":
        queue.add(key)
    assert sorted(key for keys in await asyncio.gather(*takers) for key in keys) == ["a", "b", "c"]


async def test_a_cancelled_take_takes_nothing(queue: WorkQueue[str]) -> None:
    taker = asyncio.ensure_future(queue.take())
    await settle()
    taker.cancel()
    queue.add("a")
    with pytest.raises(asyncio.CancelledError):
        await taker
    assert await queue.take() == ["a"]


async def test_a_delayed_key_is_ready_when_its_time_has_come(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("a", 5.0)
    assert len(queue) == 0
    assert not queue.is_quiet(EVER)
    taker = asyncio.ensure_future(queue.take())
    await settle()
    await clock.advance(4.9)
    await settle()
    assert not taker.done()
    await clock.advance(0.1)
    assert await taker == ["a"]
    queue.done("a")
    assert queue.is_quiet(EVER)


async def test_a_sooner_delay_wakes_a_take_that_waits_for_a_later_one(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("late", 60.0)
    taker = asyncio.ensure_future(queue.take())
    await settle()
    queue.add_after("soon", 1.0)
    await settle()
    await clock.advance(1.0)
    assert await taker == ["soon"]


async def test_waiting_for_a_delayed_key_does_not_spin(queue: WorkQueue[str], clock: FakeClock) -> None:
    """A cancelled alarm must not wake the next wait, which would set up and cancel another without end."""
    queue.add_after("late", 60.0)
    taker = asyncio.ensure_future(queue.take())
    for delay in (50.0, 40.0, 30.0):
        await settle()
        queue.add_after(f"after {delay}", delay)
    await settle()
    sleepers = len(clock._sleepers)
    await settle()
    assert len(clock._sleepers) == sleepers
    taker.cancel()


async def test_of_two_delays_the_sooner_counts_and_the_key_comes_once(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add_after("a", 5.0)
    queue.add_after("a", 2.0)
    queue.add_after("a", 9.0)
    await clock.advance(2.0)
    assert await queue.take() == ["a"]
    queue.done("a")
    await clock.advance(60.0)
    assert queue.is_quiet(EVER)


async def test_delays_that_are_forgotten_do_not_pile_up(queue: WorkQueue[str], clock: FakeClock) -> None:
    for number in range(5_000):
        queue.add_after("a", 1_000.0 - number / 10)
        queue.add_after(f"b{number}", 1_000.0)
        queue.forget(f"b{number}")
    assert len(queue._delayed) < 100
    await clock.advance(600.0)
    assert await queue.take(10) == ["a"]


async def test_no_delay_is_an_add(queue: WorkQueue[str]) -> None:
    queue.add_after("a", 0.0)
    assert len(queue) == 1


async def test_failures_back_off_and_success_forgets(queue: WorkQueue[str], clock: FakeClock) -> None:
    delays = []
    for _ in range(5):
        queue.add("a")
        await queue.take()
        delays.append(queue.failed("a"))
        await clock.advance(delays[-1])
    assert delays == [1.0, 2.0, 4.0, 8.0, 10.0]
    await queue.take()
    queue.done("a")
    assert queue.failures("a") == 0
    queue.add("a")
    await queue.take()
    assert queue.failed("a") == 1.0


async def test_a_server_that_names_a_delay_is_obeyed(queue: WorkQueue[str]) -> None:
    queue.add("a")
    await queue.take()
    assert queue.failed("a", retry_after_seconds=7.0) == 7.0


async def test_news_overtake_the_back_off(queue: WorkQueue[str]) -> None:
    queue.add("a")
    await queue.take()
    queue.add("a")
    queue.failed("a")
    assert await queue.take() == ["a"]


async def test_forget_drops_delays_and_failures(queue: WorkQueue[str], clock: FakeClock) -> None:
    queue.add("a")
    await queue.take()
    queue.failed("a")
    queue.forget("a")
    await clock.advance(10.0)
    assert queue.is_quiet(EVER)
    assert queue.failures("a") == 0


def test_a_key_that_was_not_taken_cannot_be_ended(queue: WorkQueue[str]) -> None:
    with pytest.raises(ValueError, match="not being processed"):
        queue.done("a")


async def test_close_wakes_takers_and_lets_work_in_hand_end(queue: WorkQueue[str]) -> None:
    queue.add("a")
    await queue.take()
    takers = [asyncio.ensure_future(queue.take()) for _ in range(2)]
    drained = asyncio.ensure_future(queue.drained())
    await settle()
    queue.close()
    queue.add("b")
    assert await asyncio.gather(*takers) == [[], []]
    assert not drained.done()
    queue.failed("a")
    await drained
    assert queue.is_quiet(EVER)


class QueueMachine(RuleBasedStateMachine):
    """Against a plain model: nothing added is lost, nothing is worked on twice at once."""

    keys = st.sampled_from("abcd")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.queue: WorkQueue[str] = WorkQueue(clock=self.clock, backoff=Backoff(1.0, 8.0, 0.0))
        self.owed: set[str] = set()
        self.working: set[str] = set()
        self.later: dict[str, float] = {}

    @rule(key=keys)
    def add(self, key: str) -> None:
        self.queue.add(key)
        self.owed.add(key)

    @rule(key=keys, delay=st.floats(0.5, 20))
    def add_after(self, key: str, delay: float) -> None:
        self.queue.add_after(key, delay)
        self._note_later(key, delay)

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        if not len(self.queue):
            return
        for key in self.loop.run_until_complete(self.queue.take(limit)):
            assert key not in self.working
            assert key in self.owed
            self.owed.discard(key)
            self.working.add(key)

    @rule(data=st.data(), success=st.booleans())
    def end(self, data: st.DataObject, success: bool) -> None:
        if not self.working:
            return
        key = data.draw(st.sampled_from(sorted(self.working)))
        self.working.discard(key)
        if success:
            self.queue.done(key)
        else:
            self._note_later(key, self.queue.failed(key))

    @rule(seconds=st.floats(0.1, 30))
    def advance(self, seconds: float) -> None:
        self.loop.run_until_complete(self.clock.advance(seconds))
        for key, due in list(self.later.items()):
            if due <= self.clock.monotonic():
                del self.later[key]
                self.owed.add(key)

    @invariant()
    def everything_owed_is_ready_unless_worked_on(self) -> None:
        assert len(self.queue) == len(self.owed - self.working)
        assert self.queue.is_quiet(EVER) == (not self.owed and not self.working and not self.later)

    def _note_later(self, key: str, delay: float) -> None:
        due = self.clock.monotonic() + delay
        self.later[key] = min(due, self.later.get(key, due))

    def teardown(self) -> None:
        self.loop.close()


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestQueue = QueueMachine.TestCase


class CountingClock(FakeClock):
    """Counts how often somebody slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = 0

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        await super().sleep(seconds)


async def test_what_is_due_later_is_waited_for_once_whatever_comes_before() -> None:
    clock = CountingClock()
    queue: WorkQueue[str] = WorkQueue(clock=clock)
    queue.add_after("late", 5.0)
    for key in ("a", "b", "c"):
        taking = asyncio.ensure_future(queue.take())
        await settle()
        queue.add(key)
        assert await taking == [key]
        queue.done(key)
    taking = asyncio.ensure_future(queue.take())
    await settle()
    await clock.advance(5.0)
    assert await taking == ["late"]
    assert clock.slept == 1
    queue.close()
