"""A writer that clocks itself: what gathers while two batches are on their way leaves as the next one.

Alone, a write leaves at once; under load batches grow by themselves, which is what makes them cheap. The
writer decides when a write is sent and whether it is sent again. What a refusal means stays the caller's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_client.repeatable import Settle, is_repeatable, keep_refusal
from rollplane_client.write_lanes import Answer, Item, Lanes, item_of
from rollplane_machinery.api import Write
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)

__all__ = ["Answer", "BatchApi", "BatchWriter", "Limits", "Stats"]


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


class BatchWriter:
    """Writes gathered into BatchWrites, each repeated until it is answered.

    ``run`` must be running in a task of the owner's. Writes to one object are sent one after another, in the order
    they were handed in; writes to different objects in any order. A ``group`` holds only among writes that leave in
    one batch, and no longer when its answers were lost.

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
        self._lanes = Lanes(limits.batch_writes, limits.batch_bytes)
        self._unanswered: dict[Item, None] = {}
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
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        item = item_of(write, answer)
        self._unanswered[item] = None
        self._lanes.add(item)
        self._wake.set()
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
        if self._closed or self._lanes.events >= self._limits.pending_events:
            self.stats.events_dropped += 1
            return False
        self._lanes.add_event(item_of(write, None))
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

    def _is_empty(self) -> bool:
        return not (self._unanswered or self._lanes or self._in_flight)

    def _may_send(self) -> bool:
        return bool(self._lanes) and self._in_flight < self._limits.in_flight and not self._resting

    def _depart(self) -> list[Item]:
        batch = self._lanes.depart()
        for item in batch:
            item.on_its_way = True
        self._in_flight += 1
        self.stats.batches += 1
        self.stats.sent += len(batch)
        return batch

    async def _send(self, batch: list[Item]) -> None:
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
        self._lanes.put_back(repeats)
        await self._rest(max(_retry_after(answer) for answer in answers))

    async def _ask(self, batch: list[Item]) -> Sequence[Answer]:
        try:
            return await self._api.batch([item.write for item in batch])
        except TooManyRequestsError as exc:
            # The batch was turned away as a whole, so none of it was tried: as good as never sent.
            delay = exc.retry_after_seconds
            error: RollplaneError = UnavailableError(exc.message, outcome=Outcome.NOT_SENT, retry_after_seconds=delay)
        except RollplaneError as exc:
            error = exc
        return [error] * len(batch)

    async def _deliver(self, item: Item, answer: Answer) -> bool:
        """Answer ``item`` for good and return True, or return False when it must be sent again."""
        if item.answer is None:
            self._count_event(answer)
            return True
        outcome = _outcome(answer)
        if outcome is None and item.maybe_committed and isinstance(answer, RollplaneError):
            answer = await self._settled(item.write, answer)
            outcome = _outcome(answer)
        item.on_its_way = False
        if outcome is Outcome.OUTCOME_UNKNOWN:
            item.maybe_committed = True
            # Repeated alone: in its group it would not be attempted once the first, committed before, is refused.
            item.write = replace(item.write, group="")
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

    def _answer(self, item: Item, answer: Answer) -> None:
        del self._unanswered[item]
        self._room.set()
        self._lanes.release(item)
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
        self.stats.events_dropped += self._lanes.events
        self._lanes = Lanes(self._limits.batch_writes, self._limits.batch_bytes)


def _outcome(answer: Answer) -> Outcome | None:
    """Return what is known of a write that was not answered; None when ``answer`` is one."""
    if isinstance(answer, UnavailableError):
        return answer.outcome
    return Outcome.OUTCOME_UNKNOWN if isinstance(answer, TimedOutError) else None


def _retry_after(answer: Answer) -> float:
    return (answer.retry_after_seconds or 0.0) if isinstance(answer, UnavailableError) else 0.0
