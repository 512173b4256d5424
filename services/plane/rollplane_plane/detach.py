"""A plane that outlives the command that started it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rollplane_machinery.errors import SetupError
from rollplane_plane.child_log import ChildLog

LOG_NAME = "plane.log"
ERROR = "error: "
"""What the command begins its complaints with."""


async def start_detached(data: Path, flags: Sequence[tuple[str, str]], warn: Callable[[str], None]) -> str:
    """Run ``rollplane up`` with ``flags`` in a session of its own, and return its ready line.

    What it says until then is passed on to ``warn``, later it goes to ``logs/plane.log`` in ``data``. Raises
    SetupError with its complaint, all lines of it, when it does not get ready.
    """
    log = ChildLog(data / "logs" / LOG_NAME)
    words = [f"--{name}={value}" for name, value in flags if name not in ("detach", "data")]
    with log.begin() as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rollplane_cli", "up", f"--data={data}", *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
    try:
        line = b"" if process.stdout is None else await process.stdout.readline()
    except asyncio.CancelledError:
        process.terminate()
        raise
    said = log.said().splitlines()
    if not line:
        await process.wait()
        raise SetupError(complaint(said) or f"the plane did not start; see {log.path}")
    for each in said:
        warn(each)
    return line.decode().rstrip()


def complaint(said: Sequence[str]) -> str:
    """Return what the command said last as its error, or its last line when it said none, as a traceback does."""
    starts = [number for number, line in enumerate(said) if line.startswith(ERROR)]
    return "\n".join(said[starts[-1] if starts else -1 :]).removeprefix(ERROR)
