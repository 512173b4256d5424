"""An Api that breaks in every way a network and a server can, by the dice.

It stands where gRPC would: above it is the client's own code, below it the apiserver's core. Whatever it does to a
call, it tells the caller no more than a caller can know.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Never, TypeVar

from rollplane_machinery.api import (
    DeleteCollection,
    DeletedCollection,
    Fence,
    Key,
    ListQuery,
    ObjectApi,
    Page,
    WatchBatch,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import (
    ConflictError,
    ExpiredError,
    InternalError,
    NotFoundError,
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import Encoded

T = TypeVar("T")
Answer = WriteResult | RollplaneError


class Mishap(Enum):
    """What can become of a call that changes something."""

    ANSWER_LOST = "answer lost"
    REQUEST_LOST = "request lost"
    REQUEST_LATE = "request late"
    REQUEST_SLOW = "request slow"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class Rates:
    """How likely each thing is: of a call that changes something, of a read, of a batch of a watch.

    ``mishaps`` are what befalls calls that change something; at ``items`` a batch is answered item by item, some of
    them without a word on what became of them. ``longest_seconds`` bounds delays, also of a request that
    arrives long after its caller has given up; a watch may stall for up to ``stall_seconds``, which is longer than a
    lease lasts.
    """

    change: float = 0.15
    mishaps: tuple[Mishap, ...] = tuple(Mishap)
    items: float = 0.15
    read: float = 0.05
    watch: float = 0.05
    stall: float = 0.005
    longest_seconds: float = 3.0
    stall_seconds: float = 20.0


class FaultyApi:
    """``api`` with faults at ``rates``, as long as ``broken``; ``counts`` tells how often each struck.

    Requests that arrive late run in ``tasks``.
    """

    def __init__(self, api: ObjectApi, dice: Random, tasks: asyncio.TaskGroup, rates: Rates) -> None:
        self._api = api
        self._dice = dice
        self._tasks = tasks
        self.rates = rates
        self.broken = True
        self._going = asyncio.Event()
        self._going.set()
        self._watching = asyncio.Event()
        self._watching.set()
        self.counts: Counter[str] = Counter()

    async def stop(self, seconds: float) -> None:
        """Let nothing through for ``seconds``: what is asked meanwhile arrives when they are over."""
        self._going.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._going.set()

    def hold_watches(self, *, held: bool) -> None:
        """Show nothing in watches while ``held``; what happened meanwhile is shown afterwards."""
        if held:
            self._watching.clear()
        else:
            self._watching.set()

    def cut_off(self) -> None:
        """Let nothing through any more."""
        self._going.clear()

    async def get(self, key: Key) -> Encoded:
        await self._stumble()
        return await self._api.get(key)

    async def list(self, query: ListQuery) -> Page:
        await self._stumble()
        return await self._api.list(query)

    async def write(self, write: Write) -> WriteResult:
        return await self._spoilt(lambda: self._api.write(write))

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
        await self._going.wait()
        if not self.broken:
            return await self._api.batch(writes)

        async def carry_out() -> Sequence[Answer]:
            return await self._api.batch(writes)

        if self._strikes(self.rates.items):
            return await self._spoilt_items(writes)
        return await self._spoilt(carry_out)

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        return await self._api.delete_collection(request)

    async def raise_fence(self, fence: Fence) -> None:
        await self._stumble()
        await self._api.raise_fence(fence)

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._spoilt_watch(query)

    # Calls that change something.

    async def _spoilt(self, carry_out: Callable[[], Awaitable[T]]) -> T:
        await self._going.wait()
        if not self._strikes(self.rates.change):
            return await carry_out()
        mishap = self._dice.choice(self.rates.mishaps)
        self._count(mishap.value)
        match mishap:
            case Mishap.ANSWER_LOST:
                return await self._lose(carry_out)
            case Mishap.REQUEST_LOST:
                return await self._never()
            case Mishap.REQUEST_LATE:
                return await self._late(carry_out)
            case Mishap.REQUEST_SLOW:
                await self._pause()
                return await carry_out()
            case Mishap.NOT_SENT:
                raise self._untried()

    async def _lose(self, carry_out: Callable[[], Awaitable[T]]) -> T:
        """It is done, and the answer is lost, or comes from somebody who knows nothing of it."""
        await _done(carry_out)
        raise self._unclear()

    async def _never(self) -> Never:
        """It is lost on its way, which nobody knows."""
        await self._pause()
        raise self._unclear()

    async def _late(self, carry_out: Callable[[], Awaitable[T]]) -> T:
        """Its caller hears of a failure, and it arrives all the same, perhaps after its own repeat."""

        async def arrive() -> None:
            await self._pause()
            await _done(carry_out)

        self._tasks.create_task(arrive())
        raise self._unclear()

    async def _spoilt_items(self, writes: Sequence[Write]) -> Sequence[Answer]:
        """Some items are answered without a word on what became of them; some are not even tried."""
        if self._dice.random() < 0.3:
            self._count("items busy")
            return [self._untried() for _ in writes]
        self._count("items unclear")
        answers = await self._api.batch(writes)
        return [self._unclear() if self._dice.random() < 0.5 else answer for answer in answers]

    def _unclear(self) -> RollplaneError:
        """Return what a caller hears who hears nothing certain: by any code, without our details."""
        unknown = Outcome.OUTCOME_UNKNOWN
        return self._dice.choice(
            [
                UnavailableError("Socket closed", outcome=unknown),
                TimedOutError("Deadline Exceeded"),
                InternalError("Stream removed", outcome=unknown),
                ConflictError("aborted by a proxy", outcome=unknown),
                NotFoundError("no such upstream", outcome=unknown),
            ]
        )

    def _untried(self) -> RollplaneError:
        busy = TooManyRequestsError("writes are queued", outcome=Outcome.NOT_SENT, retry_after_seconds=0.2)
        return self._dice.choice([busy, UnavailableError("nobody listens", outcome=Outcome.NOT_SENT)])

    # Reads.

    async def _stumble(self) -> None:
        await self._going.wait()
        if self._strikes(self.rates.read):
            await self._pause()
            if self._dice.random() < 0.5:
                self._count("read failed")
                raise UnavailableError("Socket closed", outcome=Outcome.OUTCOME_UNKNOWN)

    @asynccontextmanager
    async def _spoilt_watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        if not query.send_initial_state and self._strikes(self.rates.watch):
            self._count("watch expired")
            raise ExpiredError("the log no longer reaches back")

        async def stream(batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
            async for batch in batches:
                await self._going.wait()
                await self._watching.wait()
                if self._strikes(self.rates.watch):
                    self._count("watch stale")
                    await self._pause()
                elif self._strikes(self.rates.stall):
                    self._count("watch stalled")
                    await asyncio.sleep(self._dice.uniform(0, self.rates.stall_seconds))
                if self._strikes(self.rates.watch):
                    self._count("watch cut")
                    raise UnavailableError("Socket closed", outcome=Outcome.OUTCOME_UNKNOWN)
                yield batch

        async with self._api.watch(query) as batches:
            yield stream(batches)

    # The dice.

    def _strikes(self, rate: float) -> bool:
        return self.broken and self._dice.random() < rate

    async def _pause(self) -> None:
        await asyncio.sleep(self._dice.uniform(0, self.rates.longest_seconds))

    def _count(self, fault: str) -> None:
        self.counts[fault] += 1


async def _done(carry_out: Callable[[], Awaitable[object]]) -> None:
    """Carry out what nobody hears the answer of."""
    try:
        await carry_out()
    except RollplaneError:
        return  # refused: that too is told to nobody
