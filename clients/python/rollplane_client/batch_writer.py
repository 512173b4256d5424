"""A writer that clocks itself: what gathers while two batches are on their way leaves as the next one.

Alone, a write leaves at once; under load batches grow by themselves, which is what makes them cheap (design.md
section 9). The writer decides when a write is sent and whether it is sent again. What a refusal means stays the
caller's business.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_client.identity import written_key
from rollplane_client.repeatable import Settle, is_repeatable, keep_refusal
from rollplane_machinery.api import Create, Key, Patch, Update, UpdateStatus, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)

Answer = WriteResult | RollplaneError


class BatchApi(Protocol):
    """The one method of an Api that the writer calls."""

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``batch_writes`` and ``batch_bytes`` bound one batch, ``in_flight`` counts batches.

    ``pending_writes`` bounds what waits or is on its way; ``pending_events`` the low-priority lane.
    """

    batch_writes: int = 1_000
    batch_bytes: int = 3_500 * 1024
    in_flight: int = 2
    pending_writes: int = 50_000
    pending_events: int = 2_000


DEFAULT_LIMITS = Limits()
DEFAULT_BACKOFF = Backoff()


@dataclass(slots=True)
class Stats:
    """What the writer has done so far; counts of writes unless the name says batches."""

    batches: int = 0
    sent: int = 0
    repeated: int = 0
    events_sent: int = 0
    events_dropped: int = 0
    events_failed: int = 0


@dataclass(slots=True, eq=False)
class _Item:
    """A write on its way to an answer; ``answer`` is None for the low-priority lane, whose answers nobody awaits."""

    write: Write
    key: Key | None
    size: int
    answer: asyncio.Future[Answer] | None
    on_its_way: bool = False
    maybe_committed: bool = False


@dataclass(slots=True)
class _Lanes:
    """Items by what they wait for: ``ready`` to be sent; ``behind`` an earlier write to the same object."""

    ready: deque[_Item] = field(default_factory=deque)
    behind: dict[Key, deque[_Item]] = field(default_factory=dict)
    events: deque[_Item] = field(default_factory=deque)


class BatchWriter:
    """Writes gathered into BatchWrites, each repeated until it is answered.

    ``run`` must be running in a task of the owner's. Writes to one object are sent one after another, in the order
    they were handed in; writes to different objects in any order. A ``group`` holds only among writes that leave in
    one batch.

    Whenever the server cannot be reached, or its answer is lost, the same write is sent again after a back-off until
    it is answered; only a write whose outcome is unknown and that ``is_repeatable`` refuses is answered with the
    UnavailableError instead. When a write that may have been committed before is refused, ``settle`` decides what
    that means.
    """

    def __init__(
        self,
        api: BatchApi,
        *,
        clock: Clock,
        limits: Limits = DEFAULT_LIMITS,
        backoff: Backoff = DEFAULT_BACKOFF,
        jitter: Jitter = no_jitter,
        settle: Settle = keep_refusal,
    ) -> None:
        self._api = api
        self._clock = clock
        self._limits = limits
        self._backoff = backoff
        self._jitter = jitter
        self._settle = settle
        self._lanes = _Lanes()
        self._unanswered: dict[_Item, None] = {}
        self._in_flight = 0
        self._failures = 0
        self._resting = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self.stats = Stats()

    @property
    def pending(self) -> int:
        """How many writes have been handed in and not been answered; the low-priority lane does not count."""
        return len(self._unanswered)

    def submit(self, write: Write) -> asyncio.Future[Answer]:
        """Hand in ``write`` and return the future of its answer: a result, or the error as a value.

        Never blocks. Raises TooManyRequestsError when ``pending_writes`` are waiting, UnavailableError (NOT_SENT) once
        the writer is closed, BadRequestError when the write's object cannot be read. Cancelling the future does not
        take the write back.
        """
        if self._closed:
            raise UnavailableError("the writer is closed", outcome=Outcome.NOT_SENT)
        if self.pending >= self._limits.pending_writes:
            raise TooManyRequestsError(f"{self.pending} writes are waiting", retry_after_seconds=1.0)
        key = written_key(write)
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        item = _Item(write, key if key.name else None, _size(write), answer)
        self._unanswered[item] = None
        self._enqueue(item)
        return answer

    async def apply(self, writes: Sequence[Write]) -> list[Answer]:
        """Carry out ``writes`` and return their answers in order, failures as values.

        Blocks until all are answered, and for room where there is none. Raises UnavailableError once the writer is
        closed.
        """
        answers = []
        for write in writes:
            while self.pending >= self._limits.pending_writes and not self._closed:
                self._room.clear()
                await self._room.wait()
            answers.append(self.submit(write))
        return [await answer for answer in answers]

    def record(self, write: Write) -> bool:
        """Hand in a write nobody waits for, such as an Event; return False when it was dropped instead.

        These fill what room other writes leave in a batch. They are dropped when too many wait, and not repeated.
        """
        if self._closed or len(self._lanes.events) >= self._limits.pending_events:
            self.stats.events_dropped += 1
            return False
        self._lanes.events.append(_Item(write, None, _size(write), None))
        self._wake.set()
        return True

    async def run(self) -> None:
        """Send what is handed in. Returns after ``close`` once everything is answered.

        When it is cancelled, what was not answered is answered with UnavailableError: NOT_SENT for writes that never
        left, OUTCOME_UNKNOWN for the rest.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                while not (self._closed and self._is_empty()):
                    self._wake.clear()
                    if self._may_send():
                        tasks.create_task(self._send(self._depart()))
                    else:
                        await self._wake.wait()
        finally:
            self._closed = True
            self._abandon()

    def close(self) -> None:
        """Take no more writes; ``run`` returns when those taken are answered, events included."""
        self._closed = True
        self._wake.set()
        self._room.set()

    def _enqueue(self, item: _Item) -> None:
        """Make ``item`` ready, or line it up behind the earlier writes to its object."""
        if item.key is not None:
            waiting = self._lanes.behind.get(item.key)
            if waiting is not None:
                waiting.append(item)
                return
            self._lanes.behind[item.key] = deque()
        self._lanes.ready.append(item)
        self._wake.set()

    def _release(self, key: Key) -> None:
        """Let the next write to ``key`` go, now that the one before is answered."""
        waiting = self._lanes.behind[key]
        if waiting:
            self._lanes.ready.append(waiting.popleft())
        else:
            del self._lanes.behind[key]

    def _is_empty(self) -> bool:
        return not (self._unanswered or self._lanes.events or self._in_flight)

    def _may_send(self) -> bool:
        waiting = bool(self._lanes.ready or self._lanes.events)
        return waiting and self._in_flight < self._limits.in_flight and not self._resting

    def _depart(self) -> list[_Item]:
        """Take what leaves next: ordinary writes first, then events as far as there is room."""
        batch: list[_Item] = []
        size = 0
        for lane in (self._lanes.ready, self._lanes.events):
            while lane and len(batch) < self._limits.batch_writes:
                if batch and size + lane[0].size > self._limits.batch_bytes:
                    break
                size += lane[0].size
                batch.append(lane.popleft())
        for item in batch:
            item.on_its_way = True
        self._in_flight += 1
        self.stats.batches += 1
        self.stats.sent += len(batch)
        return batch

    async def _send(self, batch: list[_Item]) -> None:
        """Send one batch and deliver its answers; rest when the server could not be reached."""
        try:
            answers = await self._ask(batch)
            repeats = [
                item for item, answer in zip(batch, answers, strict=True) if not await self._deliver(item, answer)
            ]
        finally:
            self._in_flight -= 1
            self._wake.set()
        if not repeats:
            self._failures = 0
            return
        self.stats.repeated += len(repeats)
        self._lanes.ready.extendleft(reversed(repeats))
        await self._rest(max(_retry_after(answer) for answer in answers))

    async def _ask(self, batch: list[_Item]) -> Sequence[Answer]:
        try:
            return await self._api.batch([item.write for item in batch])
        except TooManyRequestsError as exc:
            # The batch was turned away as a whole, so none of it was tried: as good as never sent.
            delay = exc.retry_after_seconds
            error: RollplaneError = UnavailableError(exc.message, outcome=Outcome.NOT_SENT, retry_after_seconds=delay)
        except RollplaneError as exc:
            error = exc
        return [error] * len(batch)

    async def _deliver(self, item: _Item, answer: Answer) -> bool:
        """Answer ``item`` for good and return True, or return False when it must be sent again."""
        if item.answer is None:
            self._count_event(answer)
            return True
        outcome = _outcome(answer)
        if outcome is None and item.maybe_committed and isinstance(answer, RollplaneError):
            answer = await self._settled(item.write, answer)
            outcome = _outcome(answer)
        item.on_its_way = False
        item.maybe_committed |= outcome is Outcome.OUTCOME_UNKNOWN
        if outcome is Outcome.NOT_SENT or (outcome is not None and is_repeatable(item.write)):
            return False
        self._answer(item, answer)
        return True

    async def _settled(self, write: Write, refusal: RollplaneError) -> Answer:
        try:
            return await self._settle(write, refusal)
        except RollplaneError as exc:
            return exc

    def _count_event(self, answer: Answer) -> None:
        if isinstance(answer, RollplaneError):
            self.stats.events_failed += 1
        else:
            self.stats.events_sent += 1

    def _answer(self, item: _Item, answer: Answer) -> None:
        del self._unanswered[item]
        self._room.set()
        if item.key is not None:
            self._release(item.key)
        if item.answer is not None and not item.answer.done():
            item.answer.set_result(answer)

    async def _rest(self, at_least_seconds: float) -> None:
        """Keep the writer from sending for the back-off that is due."""
        delay = max(self._backoff.seconds(self._failures, self._jitter), at_least_seconds)
        self._failures += 1
        self._resting += 1
        try:
            await self._clock.sleep(delay)
        finally:
            self._resting -= 1
            self._wake.set()

    def _abandon(self) -> None:
        """Answer what nobody will send any more."""
        for item in list(self._unanswered):
            maybe = item.on_its_way or item.maybe_committed
            outcome = Outcome.OUTCOME_UNKNOWN if maybe else Outcome.NOT_SENT
            self._answer(item, UnavailableError("the writer has stopped", outcome=outcome))
        self.stats.events_dropped += len(self._lanes.events)
        self._lanes = _Lanes()


def _size(write: Write) -> int:
    """Return about how many bytes ``write`` takes in a batch; names and options are taken as 256."""
    if isinstance(write, Create | Update | UpdateStatus):
        return len(write.object.value) + 256
    return len(write.patch) + 256 if isinstance(write, Patch) else 256


def _outcome(answer: Answer) -> Outcome | None:
    """Return what is known of a write that was not answered; None when ``answer`` is one."""
    if isinstance(answer, UnavailableError):
        return answer.outcome
    return Outcome.OUTCOME_UNKNOWN if isinstance(answer, TimedOutError) else None


def _retry_after(answer: Answer) -> float:
    return (answer.retry_after_seconds or 0.0) if isinstance(answer, UnavailableError) else 0.0
