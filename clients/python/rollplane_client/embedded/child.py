"""One child process under supervision: started, awaited until it says it is ready, started again when it dies."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import TerminalError, TimedOutError

log = logging.getLogger(__name__)

READY = re.compile(r"ready(?: |$)")
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 0.2
RESTARTS = 20
"""Deaths in a row, none of them later than a minute after the start, before the plane gives up."""
SETTLED_SECONDS = 60.0


class Child:
    """``python -m module arguments``, its stderr in ``log_path``.

    ``arguments`` are asked for at each start. ``ready`` holds the words of its ready line, ``name=value`` each.
    """

    def __init__(
        self,
        name: str,
        module: str,
        arguments: Callable[[], Sequence[str]],
        log_path: Path,
        *,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self.name = name
        self._module = module
        self._arguments = arguments
        self._log_path = log_path
        self._clock = clock
        self._environ = dict(environ)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._deaths = 0
        self.restarts = 0
        self.ready: Mapping[str, str] = {}

    @property
    def pid(self) -> int:
        """The process id of the present life; raises TerminalError before the first."""
        if self._process is None:
            raise TerminalError(f"{self.name} was not started")
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait for its ready line; raises TerminalError with the end of its log when it ends instead."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as output:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                *self._arguments(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                env=self._environ,
                # Ctrl-C in a terminal is for the plane, which ends its children in order.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._await_ready(process)
        except TimeoutError as exc:
            raise TimedOutError(f"{self.name} is not ready after {READY_SECONDS:.0f} s; see {self._log_path}") from exc

    async def _await_ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        while line := (await process.stdout.readline()).decode(errors="replace").strip():
            if READY.match(line):
                self.ready = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                return
        await process.wait()
        raise TerminalError(f"{self.name} ended at once (code {process.returncode}):\n{self._log_tail()}")

    async def supervise(self) -> None:
        """Start it again whenever it ends, until ``stop``. Raises TerminalError when it dies time after time."""
        while True:
            started = self._clock.monotonic()
            code = await self._wait()
            if self._stopping:
                return
            log.warning("child died", extra={"child": self.name, "code": code})
            settled = self._clock.monotonic() - started > SETTLED_SECONDS
            self._deaths = 1 if settled else self._deaths + 1
            if self._deaths > RESTARTS:
                raise TerminalError(f"{self.name} died {self._deaths} times in a row:\n{self._log_tail()}")
            await self._restart()

    async def _restart(self) -> None:
        await self._clock.sleep(RESTART_SECONDS * min(self._deaths, 10))
        if self._stopping:
            return
        self.restarts += 1
        try:
            await self.start()
        except TerminalError as exc:
            log.warning("child not started", extra={"child": self.name, "detail": exc.message})

    async def _wait(self) -> int | None:
        """Block until the present life has ended; what it still prints is read, so that it never blocks on a pipe."""
        process = self._process
        if process is None:
            return None
        if process.stdout is not None:
            while await process.stdout.read(4096):
                continue
        return await process.wait()

    async def stop(self) -> None:
        """Ask it to end (SIGTERM), kill it when it has not after STOP_SECONDS."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            log.warning("child killed", extra={"child": self.name})
            process.kill()
            await process.wait()

    def _log_tail(self) -> str:
        lines = self._log_path.read_text(errors="replace").splitlines() if self._log_path.exists() else []
        return "\n".join(lines[-5:])
