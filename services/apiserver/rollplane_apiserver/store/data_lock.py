"""One plane, one server on one data folder, also after either of them was killed.

Two locks of the operating system, which vanish with their holders. The plane's is held by the process that starts the
server; the server's is inherited by the server. So a plane that finds its own lock free and the server's taken knows
that the server's parent is gone, and may end that server.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
from pathlib import Path

from rollplane_machinery.errors import SetupError

log = logging.getLogger(__name__)

POLL_SECONDS = 0.01


class DataInUseError(SetupError):
    """Another plane, or a server that does not end, uses the data folder."""


class DataLock:
    """The locks of one data folder, which is made when missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plane = _Lock(folder / "plane.lock")
        self._server = _Lock(folder / "server.lock")

    @property
    def server_descriptor(self) -> int:
        """The open file that the server must inherit."""
        return self._server.descriptor

    async def acquire(self, patience_seconds: float) -> None:
        """Take both locks, ending a server without a parent; raises DataInUseError.

        Blocks at most twice ``patience_seconds``: for the server to end by itself and, once killed, to be gone.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._plane.try_take():
            raise DataInUseError(f"{self._folder} is in use by another Rollplane, process {self._plane.owner()}")
        try:
            self._plane.write_owner(os.getpid())
            await self._take_from_orphan(patience_seconds)
        except BaseException:
            self.release()
            raise

    def pass_on(self, pid: int) -> None:
        """Note the server's process id and keep its lock in the server alone."""
        self._server.write_owner(pid)
        self._server.close()

    def release(self) -> None:
        """Let go of what this process holds."""
        self._server.close()
        self._plane.close()

    async def _take_from_orphan(self, patience_seconds: float) -> None:
        for end in (signal.SIGTERM, signal.SIGKILL):
            if self._server.try_take():
                return
            self._end_holder(end)
            if await self._taken_within(patience_seconds):
                return
        raise DataInUseError(f"{self._folder} is in use by a server that does not end, process {self._server.owner()}")

    def _end_holder(self, end: signal.Signals) -> None:
        """Signal the process that the server's lock names, if it is the one that holds it.

        The name may be an old one, and the number another's by now.
        """
        pid = self._server.owner()
        if self._server.is_held_by(pid):
            log.warning("ending a store server without a parent", extra={"pid": pid, "signal": end.name})
            _signal(pid, end)

    async def _taken_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                while not self._server.try_take():  # noqa: ASYNC110 - the system gives no event for a lock
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            return False
        return True


class _Lock:
    """A lock file that holds the process id of its owner."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise DataInUseError(f"{self._path} is not locked")
        return self._descriptor

    def try_take(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def write_owner(self, pid: int) -> None:
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, str(pid).encode(), 0)

    def owner(self) -> int:
        """Return the owner's process id, 0 when it has not said yet."""
        return int(self._path.read_text() or 0)

    def is_held_by(self, pid: int) -> bool:
        """Tell whether the process ``pid`` holds the lock, as far as this system shows; False where it does not."""
        try:
            mine = self._path.stat()
            return any(_holds(descriptor, mine) for descriptor in Path(f"/proc/{pid}/fd").iterdir())
        except OSError:  # no such process, another user's, or no /proc
            return False

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _holds(descriptor: Path, file: os.stat_result) -> bool:
    """Tell whether a process's open file, ``/proc/<pid>/fd/<number>``, is ``file`` and carries a lock."""
    try:
        about = descriptor.parent.with_name("fdinfo") / descriptor.name
        return os.path.samestat(descriptor.stat(), file) and "FLOCK" in about.read_text()
    except FileNotFoundError:  # closed meanwhile
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended meanwhile
