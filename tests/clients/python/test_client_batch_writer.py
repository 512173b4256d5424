"""The batch writer's timing and its repeats, against a server whose answers the test holds in its hand.

What a real server does with the batches is tested in test_client_lost_answers.py.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane.core.v1 import Pod
from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import REFUSED_SECONDS, TELL_SECONDS, Answer, BatchWriter, Limits
from rollplane_client.tokens import REPEAT_SECONDS, Tokens
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    Create,
    Delete,
    Evict,
    Key,
    Preconditions,
    Update,
    Write,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import (
    ConflictError,
    InternalError,
    InvalidError,
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import POD, Encoded, metadata_of

LOST = UnavailableError("lost", outcome=Outcome.OUTCOME_UNKNOWN)
GONE = UnavailableError("gone", outcome=Outcome.NOT_SENT)


class Batch:
    """One BatchWrite that has arrived and not been answered."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self.sent = list(writes)
        self.writes = [replace(write, options=DEFAULT_OPTIONS) for write in writes]
        self.future: asyncio.Future[list[Answer]] = asyncio.get_running_loop().create_future()

    @property
    def names(self) -> list[str]:
        return [write.key.name for write in self.writes]

    @property
    def tokens(self) -> list[tuple[int, bool]]:
        """Return the sequence of each write, and whether it is a repeat."""
        return [(token.sequence, write.options.repeat) for write in self.sent if (token := write.options.token)]

    def answer(self, *answers: Answer) -> None:
        """Answer the first items as given and the rest with success."""
        rest = [WriteResult(revision=1) for _ in self.writes[len(answers) :]]
        self.future.set_result([*answers, *rest])

    def fail(self, error: RollplaneError) -> None:
        self.future.set_exception(error)


class HeldServer:
    """Keeps every batch until the test answers it; counts how many it held at once."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.most_at_once = 0

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
        batch = Batch(writes)
        self.batches.append(batch)
        self.most_at_once = max(self.most_at_once, len(self.waiting))
        return await batch.future

    @property
    def waiting(self) -> list[Batch]:
        return [batch for batch in self.batches if not batch.future.done()]

    async def next(self) -> Batch:
        """Return the oldest unanswered batch, once there is one."""
        await settle()
        return self.waiting[0]


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> HeldServer:
    return HeldServer()


@asynccontextmanager
async def running(server: HeldServer, clock: FakeClock, *, limits: Limits | None = None) -> AsyncIterator[BatchWriter]:
    backoff = Backoff(base_seconds=1.0, cap_seconds=8.0, spread=0.0)
    writer = BatchWriter(server, clock=clock, limits=limits or Limits(), backoff=backoff, tokens=Tokens("w"))
    task = asyncio.ensure_future(writer.run())
    try:
        yield writer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def create(name: str, *, padding: int = 0) -> Create:
    pod = Pod()
    pod.metadata.namespace = "default"
    pod.metadata.annotations["padding"] = "x" * padding
    if name.endswith("-"):
        pod.metadata.generate_name = name
    else:
        pod.metadata.name = name
    return Create(Encoded.of(pod))


def update(name: str, version: str) -> Update:
    pod = Pod()
    pod.metadata.namespace = "default"
    pod.metadata.name = name
    pod.metadata.resource_version = version
    return Update(Encoded.of(pod))


def delete(name: str, uid: str | None = None) -> Delete:
    return Delete(Key(POD, "default", name), preconditions=Preconditions(uid=uid))


async def test_a_lone_write_leaves_at_once(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        (await server.next()).answer(WriteResult(revision=7))
        assert await answer == WriteResult(revision=7)
        assert writer.pending == 0


async def test_two_batches_at_most_and_the_next_is_all_that_gathered(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answers = []
        for number in range(50):
            answers.append(writer.submit(create(f"pod-{number}")))
            await settle()
        assert [len(batch.writes) for batch in server.batches] == [1, 1]
        server.waiting[0].answer()
        await settle()
        assert [len(batch.writes) for batch in server.batches] == [1, 1, 48]
        for batch in server.waiting:
            batch.answer()
        await asyncio.gather(*answers)
        assert server.most_at_once == 2


async def test_what_is_handed_in_together_leaves_together(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        applied = asyncio.ensure_future(writer.apply([create("a"), create("b"), create("c")]))
        batch = await server.next()
        refused = InvalidError("no")
        batch.answer(WriteResult(revision=1), refused, WriteResult(revision=2))
        assert await applied == [WriteResult(revision=1), refused, WriteResult(revision=2)]
        assert len(server.batches) == 1


async def test_batches_keep_their_limits_of_count_and_bytes(server: HeldServer, clock: FakeClock) -> None:
    limits = Limits(batch_writes=3, batch_bytes=10_000)
    async with running(server, clock, limits=limits) as writer:
        for number in range(4):
            writer.submit(create(f"small-{number}"))
        for number in range(3):
            writer.submit(create(f"large-{number}", padding=6_000))
        writer.submit(create("huge", padding=20_000))
        await settle()
        while server.waiting:
            server.waiting[0].answer()
            await settle()
        assert [batch.names for batch in server.batches] == [
            ["small-0", "small-1", "small-2"],
            ["small-3", "large-0"],
            ["large-1"],
            ["large-2"],
            ["huge"],
        ]


async def test_writes_to_one_object_go_one_after_another(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        for write in (update("a", "1"), update("a", "2"), update("b", "1"), delete("a", "uid")):
            writer.submit(write)
        first = await server.next()
        assert first.names == ["a", "b"]
        writer.submit(update("a", "9"))
        await settle()
        assert server.waiting == [first]
        first.answer()
        for expected in (update("a", "2"), delete("a", "uid"), update("a", "9")):
            batch = await server.next()
            assert batch.writes == [expected]
            batch.answer()


async def test_a_lost_answer_is_repeated_until_there_is_one(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        for wait in (1.0, 2.0, 4.0):
            (await server.next()).fail(LOST)
            await settle()
            assert not server.waiting
            await clock.advance(wait)
        batch = await server.next()
        assert batch.writes == [create("a")]
        batch.answer(WriteResult(revision=3))
        assert await answer == WriteResult(revision=3)
        assert writer.stats.repeated == 3


async def test_nothing_is_sent_while_the_writer_rests(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        writer.submit(create("a"))
        busy = TooManyRequestsError("busy", outcome=Outcome.NOT_SENT, retry_after_seconds=30.0)
        (await server.next()).fail(busy)
        writer.submit(create("b"))
        await settle()
        await clock.advance(29.0)
        await settle()
        assert not server.waiting
        await clock.advance(1.0)
        first, second = (await server.next(), server.waiting[1])
        assert (first.names, second.names) == (["a"], ["b"])


UNCLEAR: dict[str, RollplaneError] = {
    "lost": LOST,
    "timed out": TimedOutError("late"),
    "a defect, perhaps behind the commit": InternalError("Stream removed", outcome=Outcome.OUTCOME_UNKNOWN),
    "the server is busy": TooManyRequestsError(
        "20000 writes are queued", outcome=Outcome.NOT_SENT, retry_after_seconds=0.1
    ),
}


@pytest.mark.parametrize("error", UNCLEAR.values(), ids=UNCLEAR)
@pytest.mark.parametrize("by_item", [False, True], ids=["whole batch", "by item"])
async def test_a_repeat_that_is_not_answered_for_certain_is_asked_again(
    server: HeldServer, clock: FakeClock, error: RollplaneError, by_item: bool
) -> None:
    """Whatever the write is: the token makes it the same write, not a second one."""
    async with running(server, clock) as writer:
        applied = asyncio.ensure_future(
            writer.apply([create("generated-"), replace(update("b", ""), group="g"), delete("c")])
        )
        (await server.next()).fail(LOST)
        for wait in (1.0, 2.0):
            await settle()
            assert not server.waiting
            await clock.advance(wait)
            batch = await server.next()
            assert batch.writes == [create("generated-"), replace(update("b", ""), group="g"), delete("c")]
            assert batch.tokens == [(1, True), (2, True), (3, True)]
            batch.answer(error, error, error) if by_item else batch.fail(error)
        await settle()
        await clock.advance(4.0)
        refused = ConflictError("somebody else's change")
        (await server.next()).answer(WriteResult(revision=1), refused, WriteResult(revision=2))
        assert await applied == [WriteResult(revision=1), refused, WriteResult(revision=2)]


async def test_what_is_known_not_to_have_been_made_is_no_repeat(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        writer.submit(create("generated-"))
        for error in (GONE, TooManyRequestsError("busy", outcome=Outcome.NOT_SENT, retry_after_seconds=1.0)):
            (await server.next()).fail(error)
            await settle()
            await clock.advance(2.0)
        batch = await server.next()
        assert (batch.writes, batch.tokens) == ([create("generated-")], [(1, False)])


async def test_a_budgets_refusal_is_an_answer(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(Evict(Key(POD, "default", "a")))
        refused = TooManyRequestsError("the budget forbids it", resource="pods", name="a", retry_after_seconds=10.0)
        (await server.next()).answer(refused)
        assert await answer is refused


async def test_what_refuses_a_whole_batch_is_no_word_on_what_may_have_been_made(
    server: HeldServer, clock: FakeClock
) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        (await server.next()).fail(LOST)
        await settle()
        await clock.advance(1.0)
        (await server.next()).fail(InvalidError("too large"))
        await settle()
        assert not answer.done()
        await clock.advance(2.0)
        again = await server.next()
        assert again.tokens == [(1, True)]
        again.answer()
        assert isinstance(await answer, WriteResult)


async def test_a_whole_batch_refused_at_once_is_refused(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        (await server.next()).fail(InvalidError("too large"))
        assert isinstance(await answer, InvalidError)


async def test_nothing_is_repeated_for_longer_than_the_store_knows_its_token(
    server: HeldServer, clock: FakeClock
) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        while not answer.done():
            (await server.next()).fail(LOST)
            await settle()
            assert clock.monotonic() < REPEAT_SECONDS + 10.0
            await clock.advance(8.0)
        told = await answer
        assert isinstance(told, UnavailableError)
        assert told.outcome is Outcome.OUTCOME_UNKNOWN
        assert "look at the object" in told.message
        assert clock.monotonic() >= REPEAT_SECONDS


async def test_what_was_never_sent_is_tried_for_as_long_as_it_takes(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        while clock.monotonic() < 2 * REPEAT_SECONDS:
            (await server.next()).fail(GONE)
            await settle()
            await clock.advance(8.0)
        (await server.next()).answer()
        assert isinstance(await answer, WriteResult)


async def test_writes_that_are_refused_for_now_hold_up_no_others(server: HeldServer, clock: FakeClock) -> None:
    """A store at its limit of memory refuses creates alone, and a batch may hold nothing else."""
    async with running(server, clock) as writer:
        writer.submit(create("a"))
        (await server.next()).answer(GONE)
        deleted = writer.submit(delete("b"))
        batch = await server.next()
        assert batch.writes == [delete("b")]
        batch.answer()
        assert isinstance(await deleted, WriteResult)


async def test_what_is_refused_for_long_is_answered_so(server: HeldServer, clock: FakeClock) -> None:
    """Whoever wanted it may want something else by now, such as fewer."""
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        began = clock.monotonic()
        while not answer.done() and clock.monotonic() - began < 60.0:
            (await server.next()).answer(GONE)
            await settle()
            await clock.advance(0.0 if answer.done() else 8.0)
        assert answer.done()
        assert await answer is GONE
        assert REFUSED_SECONDS <= clock.monotonic() - began <= REFUSED_SECONDS + 8.0


async def test_what_may_have_been_made_is_not_answered_by_a_later_refusal(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answer = writer.submit(create("a"))
        (await server.next()).answer(LOST)
        while clock.monotonic() < 3 * REFUSED_SECONDS:
            await settle()
            await clock.advance(8.0)
            (await server.next()).answer(GONE)
        await settle()
        assert not answer.done()


async def test_that_writes_are_not_taken_is_logged_once_in_a_while(
    server: HeldServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(server, clock) as writer:
        writer.submit(create("a"))
        (await server.next()).answer(GONE)
        writer.submit(create("b"))
        (await server.next()).answer(GONE)
        await settle()
        assert [record.getMessage() for record in caplog.records] == ["writes are not taken, and sent again"]
        await clock.advance(TELL_SECONDS)
        (await server.next()).answer(GONE)
        await settle()
        assert len(caplog.records) == 2


async def test_one_item_that_was_lost_is_repeated_alone(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        applied = asyncio.ensure_future(writer.apply([create("a"), create("b")]))
        (await server.next()).answer(LOST, WriteResult(revision=1))
        await settle()
        await clock.advance(1.0)
        batch = await server.next()
        assert batch.names == ["a"]
        batch.answer(WriteResult(revision=2))
        assert await applied == [WriteResult(revision=2), WriteResult(revision=1)]


async def test_a_repeat_keeps_its_group_and_leaves_with_it(server: HeldServer, clock: FakeClock) -> None:
    """Two batches are lost and others wait: cut anew, the group would leave in two batches that know nothing of each
    other, and its second half be made although the first is refused.
    """
    limits = Limits(batch_writes=4)
    async with running(server, clock, limits=limits) as writer:
        for name in ("x", "y"):
            writer.submit(create(name))
        await settle()
        applied = [writer.submit(replace(create(name), group="g")) for name in "abc"]
        first, second = (await server.next()), server.waiting[1:]
        assert (first.names, [batch.names for batch in second]) == (["x", "y"], [["a", "b", "c"]])
        for batch in server.waiting:
            batch.fail(LOST)
        for name in "klmn":
            writer.submit(create(name))
        await settle()
        await clock.advance(2.0)
        await settle()
        assert [batch.names for batch in server.waiting] == [["x", "y"], ["a", "b", "c"]]
        assert [write.group for write in server.waiting[1].writes] == ["g"] * 3
        server.waiting[1].answer()
        assert [await answer for answer in applied] == [WriteResult(revision=1)] * 3


async def test_a_group_waits_for_the_one_of_it_that_is_held_back(server: HeldServer, clock: FakeClock) -> None:
    """Sent ahead, the second of the group would be carried out although the first is then refused."""
    async with running(server, clock) as writer:
        writer.submit(update("a", "1"))
        first = await server.next()
        group = [writer.submit(replace(update(name, "1"), group="g")) for name in "ab"]
        writer.submit(create("c"))
        assert (await server.next()).names == ["a"]
        await settle()
        assert [batch.names for batch in server.waiting] == [["a"], ["c"]]
        first.answer()
        await settle()
        assert server.waiting[-1].names == ["a", "b"]
        for batch in server.waiting[1:]:
            batch.answer()
        assert [await answer for answer in group] == [WriteResult(revision=1)] * 2


async def test_a_second_write_to_one_object_of_a_group_leaves_behind_it(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        answers = [writer.submit(replace(update(name, "1"), group="g")) for name in "aba"]
        (await server.next()).answer()
        await settle()
        assert server.waiting[-1].names == ["a"]
        server.waiting[-1].answer()
        assert [await answer for answer in answers] == [WriteResult(revision=1)] * 3


async def test_a_group_leaves_whole_or_with_the_next_batch(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock, limits=Limits(batch_writes=3)) as writer:
        for name in "xy":
            writer.submit(create(name))
        for name in "abcd":
            writer.submit(replace(create(name), group="g"))
        await settle()
        assert [batch.names for batch in server.waiting] == [["x", "y"], ["a", "b", "c"]]
        for batch in server.waiting:
            batch.answer()
        await settle()
        assert server.waiting[-1].names == ["d"]
        server.waiting[-1].answer()


async def test_one_write_that_the_server_stumbles_over_holds_up_no_other(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        writer.submit(create("a"))
        (await server.next()).answer(InternalError("a defect", outcome=Outcome.OUTCOME_UNKNOWN))
        await settle()
        other = writer.submit(create("b"))
        (await server.next()).answer()
        assert await other == WriteResult(revision=1)
        assert not server.waiting
        await clock.advance(1.0)
        assert (await server.next()).tokens == [(1, True)]


async def test_success_ends_the_back_off(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        for _ in range(2):
            answer = writer.submit(create("a"))
            (await server.next()).fail(GONE)
            await settle()
            await clock.advance(1.0)
            (await server.next()).answer()
            await answer


async def test_events_fill_the_room_that_is_left(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock, limits=Limits(batch_writes=2)) as writer:
        assert writer.record(create("event-1"))
        for name in ("a", "b", "c"):
            writer.submit(create(name))
        await settle()
        assert [batch.names for batch in server.batches] == [["a", "b"], ["c", "event-1"]]


async def test_events_are_dropped_when_too_many_wait_and_never_repeated(server: HeldServer, clock: FakeClock) -> None:
    limits = Limits(pending_events=3)
    async with running(server, clock, limits=limits) as writer:
        assert [writer.record(create(f"event-{number}")) for number in range(5)] == [True] * 3 + [False] * 2
        (await server.next()).answer(LOST, ConflictError("no"))
        await settle()
        assert (writer.stats.events_dropped, writer.stats.events_failed, writer.stats.events_sent) == (2, 2, 1)
        assert not server.waiting


async def test_who_can_wait_waits_while_there_are_plenty(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock, limits=Limits(plenty=2, batch_writes=1)) as writer, asyncio.TaskGroup() as tasks:
        await writer.room()
        for name in ("a", "b", "c"):
            writer.submit(create(name))
        waiting = tasks.create_task(writer.room())
        await settle()
        (await server.next()).answer()
        await settle()
        assert not waiting.done()
        (await server.next()).answer()
        await waiting
        (await server.next()).answer()


async def test_a_full_writer_refuses_submits_and_makes_apply_wait(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock, limits=Limits(pending_writes=2, batch_writes=1)) as writer:
        applied = asyncio.ensure_future(writer.apply([create(name) for name in "abc"]))
        await settle()
        with pytest.raises(TooManyRequestsError):
            writer.submit(create("d"))
        assert [batch.names for batch in server.batches] == [["a"], ["b"]]
        for _ in range(3):
            (await server.next()).answer()
        assert len(await applied) == 3


async def test_close_lets_everything_taken_be_answered(server: HeldServer, clock: FakeClock) -> None:
    writer = BatchWriter(server, clock=clock)
    task = asyncio.ensure_future(writer.run())
    answer = writer.submit(create("a"))
    writer.record(create("event"))
    writer.close()
    with pytest.raises(UnavailableError):
        writer.submit(create("b"))
    assert not writer.record(create("event"))
    (await server.next()).answer()
    await task
    assert await answer == WriteResult(revision=1)


async def test_a_cancelled_writer_answers_each_write_with_what_is_known(server: HeldServer, clock: FakeClock) -> None:
    writer = BatchWriter(server, clock=clock, limits=Limits(batch_writes=1, in_flight=1))
    task = asyncio.ensure_future(writer.run())
    sent, behind, waiting = [writer.submit(create(name)) for name in ("a", "a", "b")]
    await server.next()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outcomes = []
    for answer in (await sent, await behind, await waiting):
        assert isinstance(answer, UnavailableError)
        outcomes.append(answer.outcome)
    assert outcomes == [Outcome.OUTCOME_UNKNOWN, Outcome.NOT_SENT, Outcome.NOT_SENT]


async def test_a_caller_that_went_away_harms_nobody(server: HeldServer, clock: FakeClock) -> None:
    async with running(server, clock) as writer:
        gone, kept = writer.submit(create("a")), writer.submit(create("b"))
        batch = await server.next()
        gone.cancel()
        batch.answer()
        assert await kept == WriteResult(revision=1)


async def test_an_unexpected_exception_ends_the_writer(clock: FakeClock) -> None:
    class Broken:
        async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
            raise ZeroDivisionError

    writer = BatchWriter(Broken(), clock=clock)
    answer = writer.submit(create("a"))
    with pytest.raises(ExceptionGroup):
        await writer.run()
    assert isinstance(await answer, UnavailableError)


class MoodyServer:
    """Answers by the dice, and checks what it is promised: one write to an object at a time, in their order."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._in_hand: set[str] = set()
        self.done: dict[str, list[str]] = {}

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
        names = [write.key.name for write in writes]
        assert not self._in_hand.intersection(names)
        assert len(set(names)) == len(names)
        self._in_hand.update(names)
        for _ in range(self._dice.randrange(5)):
            await asyncio.sleep(0)
        self._in_hand.difference_update(names)
        if self._dice.random() < 0.2:
            raise self._dice.choice(
                [LOST, GONE, TooManyRequestsError("busy", outcome=Outcome.NOT_SENT, retry_after_seconds=1.0)]
            )
        return [self._answer(write) for write in writes]

    def _answer(self, write: Write) -> Answer:
        if self._dice.random() < 0.2:
            return self._dice.choice([LOST, GONE])
        assert isinstance(write, Update)
        metadata = metadata_of(write.object.value)
        self.done.setdefault(metadata.name, []).append(metadata.resource_version)
        return WriteResult(revision=int(metadata.resource_version))


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.integers(0, 2**32))
@settings(deadline=None, max_examples=50)
def test_whatever_fails_each_write_is_answered_once_and_in_order(names: list[str], seed: int) -> None:
    async def scenario() -> None:
        clock, dice = FakeClock(), random.Random(seed)
        server = MoodyServer(dice)
        writer = BatchWriter(server, clock=clock, limits=Limits(batch_writes=7), backoff=Backoff(1.0, 1.0, 0.0))
        running = asyncio.ensure_future(writer.run())
        answers = []
        for version, name in enumerate(names, start=1):
            answers.append(writer.submit(update(name, str(version))))
            if dice.random() < 0.3:
                await asyncio.sleep(0)
        writer.close()
        while not running.done():
            await clock.advance(1.0)
        assert [await answer for answer in answers] == [WriteResult(revision=n + 1) for n in range(len(names))]
        for name, versions in server.done.items():
            assert versions == [str(n) for n, other in enumerate(names, start=1) if other == name]

    asyncio.run(scenario())
