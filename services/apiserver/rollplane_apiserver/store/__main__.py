"""``python -m rollplane_apiserver.store --data FOLDER``: the embedded server, kept for as long as this process runs.

Prints ``ready url=<store URL> pid=<server>`` once it answers. Ends with code 1 when the server does, so that whoever
supervises this process starts both again.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rollplane_apiserver.store.disk import full_disk
from rollplane_apiserver.store.server import LOG_NAME, RedisServer, ServerSettings
from rollplane_machinery.errors import RollplaneError
from rollplane_service.logs import start_logging


async def keep(folder: Path, fsync: str) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with RedisServer(folder, settings=ServerSettings(fsync=fsync)) as server, asyncio.TaskGroup() as tasks:
        sys.stdout.write(f"ready url={server.url} pid={server.pid}\n")
        sys.stdout.flush()
        stopping, ended = tasks.create_task(stop.wait()), tasks.create_task(server.wait())
        await asyncio.wait((stopping, ended), return_when=asyncio.FIRST_COMPLETED)
        died = ended.done()
        stopping.cancel()
        ended.cancel()
    if died:
        _complain(folder, f"the store server ended by itself; its log is {folder / LOG_NAME}")
    return int(died)


def _complain(folder: Path, what: str) -> None:
    """Say in one line what went wrong, a full disk before anything that may have come of it."""
    said = "; ".join(filter(None, (full_disk(folder), what)))
    sys.stderr.write(f"rollplane_apiserver.store: {said}\n")


def run(arguments: Sequence[str]) -> int:
    """Keep the server of the folder named by ``--data``."""
    parser = argparse.ArgumentParser(prog="rollplane_apiserver.store", description="The embedded store server.")
    parser.add_argument("--data", required=True, type=Path, metavar="FOLDER", help="where its data are kept")
    parser.add_argument("--fsync", default="always", choices=("always", "everysec", "no"), help="Redis' appendfsync")
    given = parser.parse_args(arguments)
    start_logging("warning")
    try:
        return asyncio.run(keep(given.data, given.fsync))
    except (RollplaneError, OSError) as exc:
        _complain(given.data, str(exc))
        return 1


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
