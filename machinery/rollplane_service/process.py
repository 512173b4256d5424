"""A service process from its start to its end: signals, a ready line, and a shutdown that ends.

SIGTERM and SIGINT cancel the work, or tell it, if it leaves by itself. Whatever then is still there when its time is up
is abandoned, loudly: a process that does not end holds ports, locks and whoever waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import uvloop

from rollplane_machinery.errors import RollplaneError
from rollplane_service.garbage import freeze_survivors
from rollplane_service.health import Health
from rollplane_service.logs import start_logging
from rollplane_service.settings import ProcessSettings

log = logging.getLogger(__name__)

CLOSING_SECONDS = 3.0
"""What closing connections and ports may take beyond the grace period of the work."""


class Process:
    """The process as its work sees it."""

    def __init__(self, grace_seconds: float) -> None:
        self.health = Health()
        self._bound = grace_seconds + CLOSING_SECONDS
        self._stop = asyncio.Event()
        self._leaves_by_itself = False
        self._work: asyncio.Task[None] | None = None
        self._timer: threading.Timer | None = None

    def announce(self, line: str) -> None:
        """Print the ready line, be ready, and keep what was loaded out of Python's collector."""
        self.health.started = True
        freeze_survivors()
        sys.stdout.write(f"ready {line}\n")
        sys.stdout.flush()

    async def told_to_stop(self) -> None:
        """Block until a signal asks for the end; from now on it does not cancel the work, which leaves by itself."""
        self._leaves_by_itself = True
        await self._stop.wait()

    async def run(self, work: Callable[[Process], Awaitable[None]]) -> None:
        """Carry out ``work`` until it ends or is told to."""
        self._work = asyncio.ensure_future(work(self))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        try:
            await self._work
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise

    def end(self) -> None:
        """Ask the work to end; the process ends with it, or without it when its time is up."""
        if self._work is None or self._stop.is_set():
            return
        self._stop.set()
        self.health.draining = True
        self._bound_the_end(asyncio.get_running_loop())
        if not self._leaves_by_itself:
            self._work.cancel()

    def _bound_the_end(self, loop: asyncio.AbstractEventLoop) -> None:
        # A thread: a loop that is held up, or a thread that closing waits for, must not hold the end up too.
        self._timer = threading.Timer(self._bound, self._abandon, (loop,))
        self._timer.daemon = True
        self._timer.start()

    def _abandon(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting = sorted(_place(task) for task in asyncio.all_tasks(loop))
        log.error("abandoned what did not stop in time", extra={"seconds": self._bound, "tasks": waiting})
        logging.shutdown()
        os._exit(1)

    def ended(self) -> None:
        """Take note that all has come to its end in time."""
        if self._timer is not None:
            self._timer.cancel()


def run_process(program: str, settings: ProcessSettings, work: Callable[[Process], Awaitable[None]]) -> int:
    """Run ``work`` as the process it is, until it ends or SIGTERM or SIGINT ends it; return the exit code.

    Errors of ours, and addresses that cannot be had, end the process with one line for each and code 1.
    """
    start_logging(settings.log_level)
    freeze_survivors()
    code = 0
    process = Process(settings.grace_seconds)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(process.run(work))
    except* (RollplaneError, OSError) as group:  # what an operator can put right, out of whatever task it came from
        for line in sorted({str(exc) for exc in leaves(group)}):
            sys.stderr.write(f"{program}: {line}\n")
        code = 1
    finally:
        process.ended()
    return code


def leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """Return the exceptions of a group that are no groups themselves."""
    found: list[BaseException] = []
    for exc in group.exceptions:
        found += leaves(exc) if isinstance(exc, BaseExceptionGroup) else [exc]
    return found


def _place(task: asyncio.Task[object]) -> str:
    """Say what a task is and where it waits."""
    frames = task.get_stack(limit=1)
    where = f" at {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else ""
    return f"{getattr(task.get_coro(), '__qualname__', task.get_name())}{where}"
