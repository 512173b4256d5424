"""One child process under supervision: started, awaited until it says it is ready, started again when it dies."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import TerminalError, TimedOutError

log = logging.getLogger(__name__)

KEEPER = "rollplane_plane.keeper"
READY = re.compile(r"ready(?:\s|$)")
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 0.2
RESTARTS = 20
"""Deaths in a row, none of them later than a minute after the start, before the plane gives up."""
SETTLED_SECONDS = 60.0
LOG_BYTES = 4 * 1024 * 1024


class Child:
    """``module.run(arguments)`` in a process of its own (``keeper``), its stderr in ``log_path``.

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
        restarted: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._module = module
        self._arguments = arguments
        self._log_path = log_path
        self._log_start = 0
        self._clock = clock
        self._environ = dict(environ)
        self._restarted = restarted
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

    async def spawn(self) -> None:
        """Let the process load its code; nothing else happens before ``start``."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with _open_log(self._log_path) as output:
            self._log_start = output.tell()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                KEEPER,
                self._module,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=self._environ,
                # Ctrl-C in a terminal is for the plane, which ends its children in order.
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start it, unless spawned, and wait for its ready line.

        Raises TerminalError with the last line of its log when it ends instead.
        """
        if self._process is None or self._process.returncode is not None:
            await self.spawn()
        process = self._process
        assert process is not None  # noqa: S101 - it was spawned
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        process.stdin.write(json.dumps(list(self._arguments())).encode() + b"\n")
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._await_ready(process)
        except TimeoutError as exc:
            raise TimedOutError(f"{self.name} is not ready after {READY_SECONDS:.0f} s; see {self._log_path}") from exc

    async def _await_ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        while line := (await process.stdout.readline()).decode(errors="replace"):
            if READY.match(line):
                self.ready = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                return
        raise TerminalError(f"{self.name} did not start: {self._last_words(await process.wait())}")

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
                raise TerminalError(f"{self.name} died {self._deaths} times in a row: {self._last_words(code)}")
            await self._restart()

    async def _restart(self) -> None:
        await self._clock.sleep(RESTART_SECONDS * min(self._deaths - 1, 10))
        if self._stopping:
            return
        self.restarts += 1
        try:
            await self.start()
        except TerminalError as exc:
            log.warning("child not started", extra={"child": self.name, "detail": exc.message})
        else:
            self._restarted()

    async def _wait(self) -> int:
        """Block until the present life has ended; what it still prints is read, so that it never blocks on a pipe."""
        process = self._process
        if process is None:
            raise TerminalError(f"{self.name} was not started")
        if process.stdout is not None:
            while await process.stdout.read(4096):
                continue
        return await process.wait()

    def kill(self) -> None:
        """End the present life the hard way; ``supervise`` begins the next."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

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

    def _last_words(self, code: int) -> str:
        """Return the last line that the present life left in its log, and where to read more."""
        with self._log_path.open("rb") as written:
            written.seek(self._log_start)
            lines = [line.strip(" |+-") for line in written.read().decode(errors="replace").splitlines()]
        said = next((line for line in reversed(lines) if line), f"it ended with code {code}")
        return f"{said.removeprefix(f'{self._program}: ')} (more in {self._log_path})"

    @property
    def _program(self) -> str:
        """What services begin their complaints with."""
        return self._module.removesuffix(".__main__").removesuffix(".main")


def _open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, one of LOG_BYTES or more set aside first."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
