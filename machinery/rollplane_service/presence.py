"""Which plane runs on a data folder, so that another command can find it, speak to it and end it.

A lock of the operating system says that one runs: it vanishes with its holder, however that ends. The file beside it
only says which process that is and how its ready line read, and is believed while the lock is held.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from rollplane_machinery.errors import SetupError
from rollplane_machinery.frozen import frozen

NAME = "plane.json"
DEFAULT_DATA = ".rollplane"
"""The data folder of a plane that is told no other, in the folder that it is started in."""
Folder = str | os.PathLike[str]
"""A path; pathlib is a twentieth of a short command's start, and every one asks who runs here."""
_LONGEST = 4096
_TRIES = 10
_PAUSE_SECONDS = 0.01


@frozen
class Presence:
    """The process of a plane and where its apiserver is; 0 and nothing while it has not said so."""

    pid: int = 0
    server: str = ""


class Claim:
    """The right to run a plane on a data folder."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, server: str) -> None:
        """Let others know that this process is the plane, and where its apiserver is."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(Presence(os.getpid(), server))).encode(), 0)


@contextmanager
def claimed(data: Folder) -> Iterator[Claim]:
    """Claim ``data``, which is made when missing, within the context; raises SetupError when a plane runs on it."""
    from pathlib import Path  # who only asks does without

    Path(data).mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_file(data), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _take_in_time(descriptor):
            found = _read(descriptor)
            where = f", process {found.pid} at {found.server}" if found.pid else ""
            raise SetupError(f"{data} is in use by another plane{where}; rollplane down --data {data} ends it")
        claim = Claim(descriptor)
        claim.tell("")
        yield claim
    finally:
        os.close(descriptor)


def plane_on(data: Folder) -> Presence | None:
    """Return the plane that runs on ``data``, None when none does; raises OSError when it cannot be told."""
    try:
        descriptor = os.open(_file(data), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _take(descriptor) else _read(descriptor)
    finally:
        os.close(descriptor)


def ask_to_end(data: Folder) -> Presence | None:
    """Send SIGTERM to the plane on ``data`` and return which that is, None when none runs.

    A process id read from a file may be another's by the time it is used: the process is held fast first, and the
    lock looked at again.
    """
    found = plane_on(data)
    if found is None or not found.pid:
        return None
    try:
        process = os.pidfd_open(found.pid)
    except ProcessLookupError:
        return None
    try:
        if plane_on(data) != found:
            return None
        signal.pidfd_send_signal(process, signal.SIGTERM)
    except ProcessLookupError:
        return None
    finally:
        os.close(process)
    return found


def _take_in_time(descriptor: int) -> bool:
    """Take the lock; commands that look who runs hold it for an instant, too."""
    for _ in range(_TRIES):
        if _take(descriptor):
            return True
        time.sleep(_PAUSE_SECONDS)
    return False


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file(data: Folder) -> str:
    return f"{os.fspath(data)}/{NAME}"


def _read(descriptor: int) -> Presence:
    text = os.pread(descriptor, _LONGEST, 0)
    return Presence(**json.loads(text)) if text else Presence()
