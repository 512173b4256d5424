"""An event loop whose time passes only while nobody has anything to do: minutes of a plane's life in a moment.

The loop has no sockets, no threads and no signals: everything that happens in it follows from what was put into it.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = 1_700_000_000.0
"""The time of day, in seconds since the epoch, at which virtual time begins."""
_FEW_TIMERS = 64
"""So many cancelled timers are kept besides, so that they are seldom looked for."""


def _nothing() -> None:
    """What a timer does that was cancelled."""


class OwnTime(asyncio.AbstractEventLoop):
    """A loop whose time is its own.

    ``now`` is its seconds, the same for as long as a turn lasts; ``epoch`` is the time of day at its second 0.
    """

    now: float
    epoch = START


class _Turn(asyncio.Handle):
    """A callback that waits for its turn; asyncio's own asks its loop about debugging each time it is made."""

    __slots__ = ()
    _callback: Callable[..., object]
    _context: Context

    def __init__(
        self, callback: Callable[..., object], args: Sequence[Any], loop: VirtualTimeLoop, context: Context | None
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None


class _Timer(asyncio.TimerHandle):
    """A callback that waits for its moment."""

    __slots__ = ()
    _callback: Callable[..., object]
    _context: Context

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: VirtualTimeLoop,
        context: Context | None,
    ) -> None:
        self._context = copy_context() if context is None else context
        self._loop = loop
        self._callback = callback
        self._args = args
        self._cancelled = False
        self._repr = None
        self._source_traceback = None
        self._when = when
        self._scheduled = True

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            self._callback, self._args = _nothing, ()  # what it held may go
            self._loop.pass_over(self)


class VirtualTimeLoop(OwnTime, asyncio.BaseEventLoop):
    """A loop in virtual time. What would wait for the world outside (sockets, processes, threads) is not there.

    Timers of one moment go off in the order in which they were set. Raises RuntimeError when everybody waits and no
    timer is set, since time could pass for ever then.
    """

    _ready: deque[_Turn | _Timer]
    _closed: bool
    _stopping: bool

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        """Seconds since the loop was made."""
        self._timers: list[tuple[float, int, _Timer]] = []
        self._order = itertools.count()
        self._passed_over = 0

    def time(self) -> float:
        return self.now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        turn = _Turn(callback, args, self, context)
        self._ready.append(turn)
        return turn

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        timer = _Timer(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def pass_over(self, timer: _Timer) -> None:
        """Take note that a timer was cancelled; those that were are dropped before they are most of all."""
        self._passed_over += timer._scheduled
        if self._passed_over > len(self._timers) // 2 + _FEW_TIMERS:
            self._timers = [entry for entry in self._timers if not entry[2]._cancelled]
            heapq.heapify(self._timers)
            self._passed_over = 0

    def _run_once(self) -> None:
        """Let everybody have their turn who is ready; when nobody is, it is the next timer's moment."""
        if not self._ready and not self._stopping:
            self._leap()
        self._ring_timers()
        turns = self._ready
        for _ in range(len(turns)):
            turn = turns.popleft()
            if turn._cancelled:
                continue
            try:
                turn._context.run(turn._callback, *turn._args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as exc:
                self.call_exception_handler({"message": f"Exception in {turn!r}", "exception": exc, "handle": turn})

    def _leap(self) -> None:
        """Move time on to the next timer."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
            self._passed_over -= 1
        if not timers:
            raise RuntimeError("everybody waits for somebody else: no timer is set")
        self.now = max(self.now, timers[0][0])

    def _ring_timers(self) -> None:
        """Give everybody a turn whose moment has come."""
        timers = self._timers
        while timers and timers[0][0] <= self.now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            if timer._cancelled:
                self._passed_over -= 1
            else:
                self._ready.append(timer)

    def _write_to_self(self) -> None:
        """A loop that never waits need not be woken."""


def virtual_loop() -> OwnTime:
    """Return the running loop; raises RuntimeError unless its time is its own."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, OwnTime):
        return loop
    raise RuntimeError("a plane lives in virtual time: use run(…), @in_virtual_time or a VirtualTimeLoop")


def resume_in_fork(loop: asyncio.AbstractEventLoop) -> None:
    """Let ``loop`` go on in a fork of the process in which it runs: asyncio takes it that none runs there."""
    asyncio._set_running_loop(loop)


class LoopClock:
    """The clock of the virtual loop in which it is first read; RuntimeError in any other."""

    def __init__(self) -> None:
        self._loop: OwnTime | None = None

    def now(self) -> float:
        loop = self._loop or self._found()
        return loop.epoch + loop.now

    def monotonic(self) -> float:
        return (self._loop or self._found()).now

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))

    def _found(self) -> OwnTime:
        self._loop = virtual_loop()
        return self._loop


async def set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until ``event`` is set, which it is after ``seconds`` at the latest: a timeout that costs a timer."""
    alarm = asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        alarm.cancel()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end in virtual time, and return what it returns; like ``asyncio.run``.

    Raises RuntimeError when called while a loop runs.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make a plain function of a coroutine function, which runs in virtual time: a decorator for tests.

    A test framework sees no coroutine and so brings no loop of its own.
    """

    @functools.wraps(test)
    def ran(*args: P.args, **kwargs: P.kwargs) -> T:
        return run(test(*args, **kwargs))

    return ran
