"""Between a loop and the batch writer: writes that wait for a token, as a stock kube-controller-manager's do.

Each controller has a bucket of its own there (a client for each name), out of which its writes and its Events are
paid: writes as they are planned, Events one after another.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_controller.reconcile.token_bucket import TokenBucket
from rollplane_machinery.api import Write
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError

EVENTS_WAITING = 1000
"""More are dropped: what the broadcaster of client-go's tools/record queues."""


class Writer(Protocol):
    """What loops need of a batch writer, which says what the methods promise."""

    def submit(self, write: Write) -> asyncio.Future[Answer]: ...

    def record(self, write: Write) -> bool: ...

    async def room(self) -> None: ...


class ThrottledWriter:
    """``writer`` at the pace of ``bucket``; ``run`` must be running.

    What is refused on being handed on, after its wait, is answered with the error as a value. When ``run`` is
    cancelled, the answers of what still waits are cancelled.
    """

    def __init__(self, writer: BatchWriter, bucket: TokenBucket, clock: Clock) -> None:
        self._writer = writer
        self._bucket = bucket
        self._clock = clock
        self._writes: asyncio.Queue[tuple[float, Write, asyncio.Future[Answer]]] = asyncio.Queue()
        self._events: asyncio.Queue[Write] = asyncio.Queue(EVENTS_WAITING)

    def submit(self, write: Write) -> asyncio.Future[Answer]:
        """Take a token for ``write`` and return the future of its answer. Never blocks and never raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._writes.put_nowait((self._bucket.take(self._clock.monotonic()), write, answer))
        return answer

    async def room(self) -> None:
        """Wait as for the writer behind it."""
        await self._writer.room()

    def record(self, write: Write) -> bool:
        """Hand in an Event; return False when it was dropped because EVENTS_WAITING wait."""
        if self._events.full():
            return False
        self._events.put_nowait(write)
        return True

    async def run(self) -> None:
        """Hand on what has its token, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_writes())
                tasks.create_task(self._send_events())
        finally:
            while not self._writes.empty():
                self._writes.get_nowait()[2].cancel()

    async def _send_writes(self) -> None:
        while True:
            due, write, answer = await self._writes.get()
            try:
                await self._wait(due)
            except asyncio.CancelledError:
                answer.cancel()
                raise
            self._hand_on(write, answer)

    async def _send_events(self) -> None:
        # An Event takes its token when its turn comes: a hundred of them do not hold back the next write.
        while True:
            event = await self._events.get()
            await self._wait(self._bucket.take(self._clock.monotonic()))
            self._writer.record(event)

    async def _wait(self, due: float) -> None:
        if (seconds := due - self._clock.monotonic()) > 0:
            await self._clock.sleep(seconds)

    def _hand_on(self, write: Write, answer: asyncio.Future[Answer]) -> None:
        try:
            sent = self._writer.submit(write)
        except RollplaneError as exc:
            _tell(answer, exc)
        else:
            sent.add_done_callback(lambda done: answer.cancel() if done.cancelled() else _tell(answer, done.result()))


def _tell(answer: asyncio.Future[Answer], told: Answer) -> None:
    if not answer.done():
        answer.set_result(told)


class Throttle:
    """The writers of all controllers at ``qps`` each (0: unthrottled), one bucket for each name."""

    def __init__(self, writer: BatchWriter, qps: float, clock: Clock) -> None:
        self._writer = writer
        self._qps = qps
        self._clock = clock
        self._writers: dict[str, ThrottledWriter] = {}

    def writer_of(self, name: str) -> Writer:
        """Return what the controller ``name`` writes through."""
        if not self._qps:
            return self._writer
        if name not in self._writers:
            self._writers[name] = ThrottledWriter(self._writer, TokenBucket(self._qps), self._clock)
        return self._writers[name]

    async def run(self) -> None:
        """Hand on the writes of all controllers that have a writer, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for writer in self._writers.values():
                tasks.create_task(writer.run())
