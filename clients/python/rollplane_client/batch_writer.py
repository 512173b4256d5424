"""A writer that clocks itself: what gathers while two batches are on their way leaves as the next one.

Alone, a write leaves at once; under load batches grow by themselves, which is what makes them cheap. The
writer decides when a write is sent, and sends it again until it is known what became of it. What a refusal means
stays the caller's business.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_client.tokens import REPEAT_SECONDS, Tokens, repeated
from rollplane_client.write_lanes import Answer, Item, Lanes, item_of
from rollplane_machinery.api import Write
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import Outcome, RollplaneError, TooManyRequestsError, UnavailableError

__all__ = ["Answer", "BatchApi", "BatchWriter", "Limits", "Stats"]

log = logging.getLogger(__name__)

REFUSED_SECONDS = 10.0
"""How long a write is repeated that the server answers each time by saying that it was not tried."""
TELL_SECONDS = 30.0
"""How often at most the log says that writes are not taken."""


class BatchApi(Protocol):
    """The one method of an Api that the writer calls."""

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``batch_writes`` and ``batch_bytes`` bound one batch, ``in_flight`` counts batches.

    ``pending_writes`` bounds what waits or is on its way; ``pending_events`` the low-priority lane. From ``plenty`` of
    them on, which keep batches full for a second or two, whoever can wait with more should.
    """

    batch_writes: int = 1_000
    batch_bytes: int = 3_500 * 1024
    in_flight: int = 2
    pending_writes: int = 50_000
    plenty: int = 4_000
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
    one batch.

    Each write is given one of ``tokens``, by which the server makes it at most once. Whatever is not a definite answer
    (an error with an ``outcome``) has the same write sent again after a back-off: those of one batch together, in their
    order and groups, while the rest of the writer goes on if the batch was answered at all. What may have been made
    is repeated for REPEAT_SECONDS; then its answer is an error that says so, and the object has to be looked at. What
    surely was not made, as a full store or one that is away has it, is answered so after REFUSED_SECONDS, that its
    owner may want something else by now; without any answer from the server it is repeated for as long as it takes.
    """

    def __init__(
        self,
        api: BatchApi,
        *,
        clock: Clock,
        limits: Limits = DEFAULT_LIMITS,
        backoff: Backoff = DEFAULT_BACKOFF,
        jitter: Jitter = no_jitter,
        tokens: Tokens | None = None,
    ) -> None:
        self._api = api
        self._clock = clock
        self._limits = limits
        self._backoff = backoff
        self._jitter = jitter
        self._tokens = tokens or Tokens()
        self._lanes = Lanes(limits.batch_writes, limits.batch_bytes)
        self._unanswered: dict[Item, None] = {}
        self._in_flight = 0
        self._failures = 0
        self._resting = 0
        self._tell_at = -math.inf
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
        item = item_of(self._tokens.stamped(write), answer)
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

    async def room(self) -> None:
        """Wait while there are plenty: more would only take memory, and be older when they leave."""
        while self.pending >= self._limits.plenty and not self._closed:
            self._room.clear()
            await self._room.wait()

    def record(self, write: Write) -> bool:
        """Hand in a write nobody waits for and that is harmless twice, an Event; return False when it was dropped.

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
        """Send one batch, deliver its answers, and make ready again what was not answered."""
        sent = self._clock.monotonic()
        try:
            answers, heard = await self._ask(batch)
        finally:
            self._in_flight -= 1
            self._wake.set()
        self._tell(answers)
        told = zip(batch, answers, strict=True)
        repeats = [item for item, answer in told if not self._deliver(item, answer, sent, heard=heard)]
        self.stats.repeated += len(repeats)
        wait = max([_retry_after(answer) for answer in answers if isinstance(answer, RollplaneError)], default=0.0)
        if heard:
            self._failures = 0
            await self._repeat_beside_others(repeats, wait)
        else:
            self._lanes.put_back(repeats)
            await self._rest(wait)

    def _tell(self, answers: Sequence[Answer]) -> None:
        """Log what keeps writes from being made, once in a while."""
        errors = [answer for answer in answers if isinstance(answer, RollplaneError) and answer.outcome is not None]
        now = self._clock.monotonic()
        if errors and now >= self._tell_at:
            self._tell_at = now + TELL_SECONDS
            extra = {"writes": len(errors), "reason": errors[0].reason, "detail": errors[0].message}
            log.warning("writes are not taken, and sent again", extra=extra)

    async def _ask(self, batch: list[Item]) -> tuple[Sequence[Answer], bool]:
        """Return an answer for each write, and whether the server gave them: else nobody was there to look at any."""
        try:
            return await self._api.batch([item.write for item in batch]), True
        except RollplaneError as exc:
            # What refuses the whole batch has looked at none of its writes, of which some may have been made before.
            unknown = exc.with_outcome(Outcome.OUTCOME_UNKNOWN)
            untried = exc.as_value()
            return [untried if item.unclear_since is None else unknown for item in batch], False

    def _deliver(self, item: Item, answer: Answer, sent: float, *, heard: bool) -> bool:
        """Answer ``item``, which left at ``sent``, for good and return True; or False when it must be sent again."""
        if item.answer is None:
            self._count_event(answer)
            return True
        item.on_its_way = False
        outcome = answer.outcome if isinstance(answer, RollplaneError) else None
        if outcome is None:
            self._answer(item, answer)
            return True
        item.failures += 1
        if outcome is Outcome.OUTCOME_UNKNOWN and item.unclear_since is None:
            item.unclear_since = sent
            item.write = repeated(item.write)
        return self._is_refused(item, answer, heard=heard) or self._is_given_up(item)

    def _is_refused(self, item: Item, answer: Answer, *, heard: bool) -> bool:
        """Answer ``item`` that it was not made, once the server has said so for REFUSED_SECONDS; else return False."""
        if not heard or item.unclear_since is not None:
            item.refused_since = None
            return False
        now = self._clock.monotonic()
        item.refused_since = now if item.refused_since is None else item.refused_since
        if now - item.refused_since < REFUSED_SECONDS:
            return False
        self._answer(item, answer)
        return True

    def _is_given_up(self, item: Item) -> bool:
        """Answer ``item`` that nothing is known of it, once the store may have forgotten its token; else return False.

        A repeat of what was forgotten would be made a second time.
        """
        if item.unclear_since is None or self._clock.monotonic() - item.unclear_since < REPEAT_SECONDS:
            return False
        text = f"whether it was made could not be learned in {REPEAT_SECONDS:.0f} s: look at the object"
        self._answer(item, UnavailableError(text, outcome=Outcome.OUTCOME_UNKNOWN))
        return True

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

    async def _repeat_beside_others(self, items: list[Item], at_least_seconds: float) -> None:
        """Send ``items`` again after their own back-off, in which other writes go on."""
        if items:
            await self._sleep(max(item.failures for item in items) - 1, at_least_seconds)
            self._lanes.put_back(items)
            self._wake.set()

    async def _rest(self, at_least_seconds: float) -> None:
        """Keep the whole writer from sending for the back-off that is due: there is no word from the server."""
        failures = self._failures
        self._failures += 1
        self._resting += 1
        try:
            await self._sleep(failures, at_least_seconds)
        finally:
            self._resting -= 1
            self._wake.set()

    async def _sleep(self, failures: int, at_least_seconds: float) -> None:
        await self._clock.sleep(max(self._backoff.seconds(failures, self._jitter), at_least_seconds))

    def _abandon(self) -> None:
        """Answer what nobody will send any more."""
        for item in list(self._unanswered):
            maybe = item.on_its_way or item.unclear_since is not None
            outcome = Outcome.OUTCOME_UNKNOWN if maybe else Outcome.NOT_SENT
            self._answer(item, UnavailableError("the writer has stopped", outcome=outcome))
        self.stats.events_dropped += self._lanes.events
        self._lanes = Lanes(self._limits.batch_writes, self._limits.batch_bytes)


def _retry_after(answer: Answer) -> float:
    return (answer.retry_after_seconds or 0.0) if isinstance(answer, RollplaneError) and answer.outcome else 0.0
