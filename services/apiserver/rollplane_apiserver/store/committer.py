"""Group commit: writes that arrive together, from whatever calls, go to the store together.

It decides what shares a commit and in which order. Single writes go before the items of batches, so that a batch of
a thousand delays a single by one commit, not by four. While commits are in flight everything else gathers, so groups
grow with the load by themselves. What a commit checks is the store's business.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollplane_apiserver.store.checks import check_mutation
from rollplane_apiserver.store.groups import Groups
from rollplane_apiserver.store.interface import Mutation, Outcome, Refusal, Refused, Settled, Store
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InternalError, RollplaneError, TooManyRequestsError, UnavailableError
from rollplane_machinery.errors import Outcome as WriteOutcome

log = logging.getLogger(__name__)

Observer = Callable[[int, float], None]
"""Called after each commit with its number of items and its duration in seconds."""


@dataclass(frozen=True, slots=True)
class CommitterLimits:
    """Bounds of one committer.

    ``queued_items`` counts mutations waiting in each of the two lanes; ``commit_items`` and ``commit_bytes`` bound one
    commit, of which ``in_flight`` run at a time. The defaults are measured (tests/bench/bench_store.py): above 128
    items a commit gains nothing and keeps singles waiting, and a second one in flight does the same.
    """

    queued_items: int = 20_000
    commit_items: int = 128
    commit_bytes: int = 8 * 1024 * 1024
    in_flight: int = 1
    retry_after_seconds: float = 0.2


class GroupCommitter:
    """Gathers mutations into commits; ``run`` must be running for anything to be written.

    Items of one call are committed in their order and never in two commits at once, so a group that spans two commits
    still stops at its first failure. A caller that is cancelled does not take its mutations back.
    """

    def __init__(
        self, store: Store, clock: Clock, limits: CommitterLimits | None = None, observe: Observer | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits or CommitterLimits()
        self._observe = observe
        self._singles = _Lane()
        self._batches = _Lane()
        self._work = asyncio.Event()
        self._calls = itertools.count()
        self._stopped = False

    async def write(self, mutation: Mutation) -> Outcome:
        """Commit one mutation ahead of all batches and return its outcome.

        Raises TooManyRequestsError when too much is queued, UnavailableError as the store does, BadRequestError for a
        mutation that no store can carry out.
        """
        (settled,) = await self._submit(self._singles, (mutation,))
        if isinstance(settled, RollplaneError):
            raise settled
        return settled

    async def write_batch(self, mutations: Sequence[Mutation]) -> Sequence[Settled]:
        """Commit any number of mutations, in as many commits as it takes; results in order.

        When a commit fails its items carry the error (UnavailableError, often OUTCOME_UNKNOWN), and the items behind
        it were NOT_SENT. Raises TooManyRequestsError and BadRequestError as ``write`` does; then nothing was written.
        """
        return await self._submit(self._batches, mutations)

    async def run(self) -> None:
        """Commit until cancelled. Then whoever still waits gets UnavailableError."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(self._limits.in_flight):
                    tasks.create_task(self._work_on())
        finally:
            self._stopped = True
            for lane in (self._singles, self._batches):
                lane.abandon(_not_sent("the committer was stopped"))

    async def _submit(self, lane: _Lane, mutations: Sequence[Mutation]) -> Sequence[Settled]:
        if self._stopped:
            raise _not_sent("the committer was stopped")
        # A mutation that no store can carry out must not fail those it would share a commit with.
        for mutation in mutations:
            check_mutation(mutation)
        # An idle lane takes any batch, or one above the bound could never be written.
        if lane.queued and lane.queued + len(mutations) > self._limits.queued_items:
            raise TooManyRequestsError(
                f"{lane.queued} writes are queued",
                outcome=WriteOutcome.NOT_SENT,
                retry_after_seconds=self._limits.retry_after_seconds,
            )
        call = _Call(next(self._calls), lane, mutations, asyncio.get_running_loop().create_future())
        lane.add(call)
        self._work.set()
        return await call.answer

    async def _work_on(self) -> None:
        while True:
            await self._work.wait()
            commit = self._gather()
            try:
                if commit.mutations:
                    await self._carry_out(commit)
            finally:
                commit.give_back()
            if self._singles.waiting or self._batches.waiting:
                self._work.set()

    def _gather(self) -> _Commit:
        commit = _Commit(self._limits.commit_items, self._limits.commit_bytes)
        for lane in (self._singles, self._batches):
            while lane.waiting and commit.take(lane.waiting[0]):
                lane.waiting.popleft()
        if not self._singles.waiting and not self._batches.waiting:
            self._work.clear()
        return commit

    async def _carry_out(self, commit: _Commit) -> None:
        start = self._clock.monotonic()
        try:
            commit.settle(await self._store.commit(commit.mutations))
        except RollplaneError as exc:
            commit.fail(exc)
        except asyncio.CancelledError:
            commit.fail(UnavailableError("the committer was stopped", outcome=WriteOutcome.OUTCOME_UNKNOWN))
            raise
        except Exception as exc:
            # A defect that these writes met must not end all writing.
            log.exception("a commit failed", extra={"items": len(commit.mutations)})
            commit.fail(InternalError(f"the store failed: {exc!r}", outcome=WriteOutcome.OUTCOME_UNKNOWN))
        if self._observe is not None:
            self._observe(len(commit.mutations), self._clock.monotonic() - start)


class _Lane:
    """Calls that wait for their turn, first come first served."""

    def __init__(self) -> None:
        self.waiting: deque[_Call] = deque()
        self.queued = 0  # mutations not yet part of a commit, also of calls with a part in flight

    def add(self, call: _Call) -> None:
        self.waiting.append(call)
        self.queued += call.size

    def abandon(self, error: RollplaneError) -> None:
        """Answer every caller that waits with ``error``."""
        while self.waiting:
            self.waiting.popleft().abandon(error)


class _Call:
    """One caller's mutations, how far they have come, and where the answer goes."""

    def __init__(
        self, number: int, lane: _Lane, mutations: Sequence[Mutation], answer: asyncio.Future[Sequence[Settled]]
    ) -> None:
        self.number = number
        self.lane = lane
        self.answer = answer
        self._mutations = mutations
        self._settled: list[Settled] = [Refused(Refusal.NOT_ATTEMPTED)] * len(mutations)
        self._groups = Groups()
        self._next = 0

    @property
    def size(self) -> int:
        return len(self._mutations)

    @property
    def done(self) -> bool:
        return self._next == len(self._mutations)

    def peek(self) -> tuple[int, Mutation] | None:
        """Return the next mutation and its position, passing over those whose group has failed; None at the end."""
        while self._next < len(self._mutations):
            mutation = self._mutations[self._next]
            if not mutation.group or not self._groups.has_failed(mutation.group):
                return self._next, mutation
            self.advance()
        return None

    def advance(self) -> None:
        self._next += 1
        self.lane.queued -= 1

    def settle(self, position: int, settled: Settled) -> None:
        self._settled[position] = settled
        if group := self._mutations[position].group:
            self._groups.note(group, settled)

    def abandon(self, error: RollplaneError) -> None:
        """Answer the caller, with ``error`` for all that did not get into a commit."""
        while not self.done:
            self._settled[self._next] = error
            self.advance()
        self.finish()

    def finish(self) -> None:
        """Answer the caller, unless it has gone away."""
        if not self.answer.done():
            self.answer.set_result(self._settled)


class _Commit:
    """The mutations of one commit and whose they are."""

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self.mutations: list[Mutation] = []
        self._places: list[tuple[_Call, int]] = []
        self._calls: list[_Call] = []
        self._groups: dict[str, tuple[_Call, str]] = {}  # whose each is and its own name, by its name in this commit
        self._items_left = max_items
        self._bytes_left = max_bytes
        self._error: RollplaneError | None = None

    def take(self, call: _Call) -> bool:
        """Take what fits of ``call``; False when nothing of it did."""
        taken = False
        while (item := call.peek()) is not None:
            position, mutation = item
            size = 0 if mutation.value is None else len(mutation.value)
            if not self._fits(size):
                break
            self._add(call, position, mutation, size)
            call.advance()
            taken = True
        if taken or call.done:
            self._calls.append(call)
        return taken or call.done

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        for (call, position), outcome in zip(self._places, outcomes, strict=True):
            call.settle(position, outcome)

    def fail(self, error: RollplaneError) -> None:
        """Give ``error`` to every mutation of this commit; what is behind them in their calls will not be sent."""
        self._error = error
        for call, position in self._places:
            call.settle(position, error)

    def give_back(self) -> None:
        """Answer the calls that are done, and put the others where they were: at the head of their lane."""
        for call in reversed(self._calls):
            if call.done:
                call.finish()
            elif self._error is not None:
                call.abandon(_not_sent(f"an earlier part of the batch failed: {self._error.message}"))
            else:
                call.lane.waiting.appendleft(call)

    def _fits(self, size: int) -> bool:
        # A mutation above the byte limit goes alone.
        return self._items_left > 0 and (not self.mutations or size <= self._bytes_left)

    def _add(self, call: _Call, position: int, mutation: Mutation, size: int) -> None:
        self._items_left -= 1
        self._bytes_left -= size
        self._places.append((call, position))
        if mutation.group and (name := self._name(call, mutation.group)) != mutation.group:
            mutation = mutation.in_group(name)
        self.mutations.append(mutation)

    def _name(self, call: _Call, group: str) -> str:
        """Return what a group is called in this commit: its name, and another if a group of another caller has that."""
        name = group
        while self._groups.setdefault(name, (call, group)) != (call, group):
            name = f"{call.number}/{name}"
        return name


def _not_sent(message: str) -> UnavailableError:
    return UnavailableError(message, outcome=WriteOutcome.NOT_SENT)
