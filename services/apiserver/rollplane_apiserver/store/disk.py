"""A full disk, called by its name: a server that meets one ends or refuses, and says so in its own log at best."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollplane_machinery.errors import UnavailableError

FULL_BYTES = 8 * 1024 * 1024
"""With less room than the largest commit takes a disk is full."""
UNIX = "unix://"


def full_disk(folder: Path) -> str:
    """Return a sentence when the disk that holds ``folder`` is full, nothing when it is not or cannot be asked."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return ""
    left = disk.f_bavail * disk.f_frsize
    return f"the disk of {folder} is full, {left // 1024} KiB are left" if left < FULL_BYTES else ""


@contextmanager
def naming_a_full_disk(url: str) -> Iterator[None]:
    """Let a failure of the store at ``url`` tell of the full disk it may come from, if its disk is this machine's."""
    try:
        yield
    except UnavailableError as exc:
        full = full_disk(Path(url.removeprefix(UNIX)).parent) if url.startswith(UNIX) else ""
        if not full:
            raise
        message = f"{full}: {exc.message}"
        raise UnavailableError(message, outcome=exc.outcome, retry_after_seconds=exc.retry_after_seconds) from exc
