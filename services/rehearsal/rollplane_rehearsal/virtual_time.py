"""An event loop whose time passes only while nobody has anything to do: minutes of a plane's life in a moment.

The loop has no sockets, no threads and no signals: everything that happens in it follows from what was put into it.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

START = 1_700_000_000.0
"""The time of day, in seconds since the epoch, at which virtual time begins."""


class _Leap:
    """Stands where a loop waits for the world, and moves the loop's time on instead."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else: no timer is set")
        self.now += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """A loop in virtual time. What would wait for the world outside (sockets, processes, threads) is not there.

    Raises RuntimeError when everybody waits and no timer is set, since time could pass for ever then.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = self._leap = _Leap()
        self._clock_resolution = 1e-9  # else the machine's: on some two timers would go off together that do not here

    def time(self) -> float:
        return self._leap.now

    def _process_events(self, event_list: list[Any]) -> None:
        """There is nothing outside that could tell of anything."""

    def _write_to_self(self) -> None:
        """A loop that never waits need not be woken."""


def virtual_loop() -> VirtualTimeLoop:
    """Return the running loop; raises RuntimeError unless it is one in virtual time."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        return loop
    raise RuntimeError("a plane lives in virtual time: use run(…), @in_virtual_time or a VirtualTimeLoop")


class LoopClock:
    """The clock of the virtual loop in which it is first read; RuntimeError in any other."""

    def __init__(self) -> None:
        self._loop: VirtualTimeLoop | None = None

    def now(self) -> float:
        return START + self.monotonic()

    def monotonic(self) -> float:
        loop = self._loop
        if loop is None:
            loop = self._loop = virtual_loop()
        return loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


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
