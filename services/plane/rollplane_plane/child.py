"""One child process under supervision: started, awaited until it says it is ready, started again when it ends.

A first start that fails is the caller's to hear of. Later ones are tried for as long as the plane runs, since what
keeps a child from coming back (a store that stands still, a full disk) may pass; unless it says that it never will.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import SetupError, TimedOutError
from rollplane_plane.child_log import ChildLog
from rollplane_plane.services import Service

log = logging.getLogger(__name__)

KEEPER = "rollplane_plane.keeper"
READY = re.compile(r"ready(?:\s|$)")
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
RESTART_SECONDS = 0.2
MOST_RESTART_SECONDS = 5.0
SETTLED_SECONDS = 10.0
"""A life that lasts so long is followed by the next at once; after shorter ones the pauses grow."""
REFUSED_SETTINGS = 2
"""The exit code of a service that will not do with its settings, however often it is started."""


class Child:
    """``service`` in a process of its own (``keeper``), its stderr in a log.

    ``command`` is what runs it, its name behind. ``arguments`` are asked for at each start. ``ready`` holds the words
    of its ready line, ``name=value`` each. ``returned`` is called whenever a further life has become ready.
    """

    def __init__(
        self,
        service: Service,
        arguments: Callable[[], Sequence[str]],
        log_path: Path,
        *,
        clock: Clock,
        environ: Mapping[str, str],
        returned: Callable[[], None] = lambda: None,
        command: Sequence[str] = (sys.executable, "-m", KEEPER),
    ) -> None:
        self.name = service.value
        self._command = (*command, self.name)
        self._arguments = arguments
        self._log = ChildLog(log_path)
        self._clock = clock
        self._environ = dict(environ)
        self._returned = returned
        self._process: asyncio.subprocess.Process | None = None
        self._started = 0.0
        self._short_lives = 0
        self._stopping = False
        self.restarts = 0
        self.ready: Mapping[str, str] = {}

    @property
    def pid(self) -> int:
        """The process id of the present life; raises SetupError before the first."""
        return self._living().pid

    def _living(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise SetupError(f"the {self.name} was not started")
        return self._process

    async def spawn(self) -> None:
        """Let the process load its code; nothing else happens before ``start``."""
        with self._log.begin() as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=self._environ,
                # Ctrl-C in a terminal is for the plane, which ends its children in order.
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start it, unless spawned, and wait for its ready line.

        Raises SetupError with the last line of its log when it ends instead, TimedOutError after READY_SECONDS.
        """
        await self._begin()
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._await_ready()
        except TimeoutError as exc:
            text = f"{self.name} did not start: it is not ready after {READY_SECONDS:.0f} s (more in {self._log.path})"
            raise TimedOutError(text) from exc

    async def _begin(self) -> None:
        if self._process is None or self._process.returncode is not None:
            await self.spawn()
        self._started = self._clock.monotonic()
        stdin = self._living().stdin
        if stdin is not None:
            stdin.write(json.dumps(list(self._arguments())).encode() + b"\n")

    async def _await_ready(self) -> None:
        process = self._living()
        while line := (await self._read_line(process)).decode(errors="replace"):
            if READY.match(line):
                self.ready = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
                return
        raise SetupError(f"{self.name} did not start: {self._log.last_words(await process.wait())}")

    async def _read_line(self, process: asyncio.subprocess.Process) -> bytes:
        return b"" if process.stdout is None else await process.stdout.readline()

    async def supervise(self) -> None:
        """Start it again whenever it ends, until ``stop``. Raises SetupError when it says that it never will."""
        while not self._stopping:
            code = await self._ended()
            if self._stopping:
                return
            how = death_of(code, self._log.last_words(code))
            log.warning("the %(child)s %(how)s; it is started again", {"child": self.name, "how": how})
            while not await self._revived():
                continue

    async def _revived(self) -> bool:
        """Begin another life and return whether it became ready (or is not wanted any more)."""
        await self._pause()
        if self._stopping:
            return True
        self.restarts += 1
        try:
            await self._begin()
            await self._await_return()
        except (SetupError, ConnectionError, OSError) as exc:
            return self._not_revived(str(exc))
        self._returned()
        return True

    async def _await_return(self) -> None:
        """Wait for the ready line for as long as it takes, but not in silence."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                await self._await_ready()
        except TimeoutError:
            log.warning(
                "the %(child)s is not ready after %(seconds).0f s; it goes on trying (more in %(log)s)",
                {"child": self.name, "seconds": READY_SECONDS, "log": str(self._log.path)},
            )
            await self._await_ready()

    def _not_revived(self, why: str) -> bool:
        if self._stopping:
            return True
        if self._living().returncode == REFUSED_SETTINGS:
            raise SetupError(f"the {self.name} will never start: {why}")
        log.warning("%(why)s; it is tried again", {"child": self.name, "why": why})
        return False

    async def _pause(self) -> None:
        """Wait before another life, the longer the more lives in a row were short."""
        settled = self._clock.monotonic() - self._started > SETTLED_SECONDS
        self._short_lives = 0 if settled else self._short_lives + 1
        await self._clock.sleep(min(RESTART_SECONDS * max(0, self._short_lives - 1), MOST_RESTART_SECONDS))

    async def _ended(self) -> int:
        """Block until the present life has ended; what it still prints is read, so that it never blocks on a pipe."""
        process = self._living()
        while await self._read_line(process):
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
            log.warning(
                "the %(child)s did not end within %(seconds).0f s; it is killed",
                {"child": self.name, "seconds": STOP_SECONDS},
            )
            process.kill()
            await process.wait()


def death_of(code: int, last_words: str) -> str:
    """Say how a process ended that was to go on: ``was killed (SIGKILL)``, or its last words."""
    if code >= 0:
        return f"ended: {last_words}"
    known = code in {-number for number in signal.Signals}
    return f"was killed ({signal.Signals(-code).name if known else f'signal {-code}'})"
