"""``python -m rollplane_plane.keeper SERVICE``: one service as the child of a plane.

The service is imported at once, so that all of a plane's children load side by side, and begins when its arguments
arrive on standard input, as one line of JSON: by then the child it depends on is up. Standard input then stays open for
as long as the parent lives; its end means that nobody is left to stop this process, which therefore stops itself.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time

from rollplane_plane.services import Service, load

STDIN = 0
CHUNK = 65_536
LAST_SECONDS = 3.0
"""What a service has to come to its end without its parent."""


def run(service: Service) -> int:
    """Carry out ``service`` and return its exit code; 0 when the parent leaves before it says go."""
    gc.disable()  # what is loaded stays: walking through it meanwhile would be in vain
    carry_out = load(service)
    gc.enable()
    line = _read_line()
    if not line:
        return 0
    # A thread, because a service may be busy for long, and its loop is its own affair. It ends with the process.
    threading.Thread(target=_outlive_nobody, name="parent", daemon=True).start()
    return carry_out(json.loads(line))


def _read_line() -> bytes:
    """Return the first line of standard input, empty when it ends before."""
    read = b""
    while not read.endswith(b"\n"):
        more = os.read(STDIN, CHUNK)
        if not more:
            return b""
        read += more
    return read


def _outlive_nobody() -> None:
    while os.read(STDIN, CHUNK):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    # The others have ended too: whoever wants to tell them something tries in vain.
    time.sleep(LAST_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(run(Service(sys.argv[1])))
