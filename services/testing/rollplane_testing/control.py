"""The pipe between a test and its server: lines of JSON, of which nobody else can see or say any.

Each request is answered by one line. Its end is that of the server: whoever started it has gone, however.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

STDIN, STDOUT, STDERR = 0, 1, 2
CHUNK = 65_536
LOOK_SECONDS = 1.0
"""How often the server looks whether its parent lives: the pipe may be held open by somebody who was forked from it."""


def error_of(error: Exception) -> dict[str, Any]:
    """Return what is said of ``error``, or of the one in its group: its class and all above it, the closest first."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return {"error": [each.__name__ for each in type(error).__mro__], "message": str(error)}


class Control:
    """The server's end. Takes standard output for itself: what anybody else prints goes to standard error."""

    def __init__(self) -> None:
        self._out = os.dup(STDOUT)
        os.dup2(STDERR, STDOUT)
        self._requests: asyncio.Queue[Any] = asyncio.Queue()

    def say(self, answer: Any) -> None:
        """Send one line."""
        os.write(self._out, json.dumps(answer).encode() + b"\n")

    async def requests(self) -> AsyncIterator[Any]:
        """Yield what is asked, for as long as the process lives."""
        while True:
            yield await self._requests.get()

    def listen(self) -> None:
        """Hear requests from now on, in the running loop; end the process when nobody is left to ask."""
        loop = asyncio.get_running_loop()

        def hear(line: bytes) -> None:
            loop.call_soon_threadsafe(self._requests.put_nowait, json.loads(line))

        # A thread, because the loop may be busy for long, and because its time may stand still.
        threading.Thread(target=_hear, args=(hear, os.getppid()), name="control", daemon=True).start()


def _hear(hear: Callable[[bytes], None], parent: int) -> None:
    rest = b""
    while os.getppid() == parent:
        if not select.select([STDIN], [], [], LOOK_SECONDS)[0]:
            continue
        more = os.read(STDIN, CHUNK)
        if not more:
            break
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            hear(line)
    sys.stderr.flush()
    os._exit(0)  # nothing is kept, so nothing is to be put away
