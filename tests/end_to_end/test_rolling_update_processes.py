"""Rolling updates over real processes: a controller killed on the way."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from tests.end_to_end.pages import ROOT
from tests.end_to_end.up_process import COMMAND, Up, eventually, rollplane, running

EXAMPLE = ROOT / "examples" / "replication-controller"
SLOW = "--update-period=2s --poll-interval=1s"


def started(data: Path) -> tuple[str, ...]:
    return ("--nodes", "2", "--profile", "instant", "--port", "0", "--data", str(data))


def _kill_controller(up: Up) -> None:
    (victim,) = [pid for pid, line in up.descendants().items() if line.split()[-1:] == ["controller"]]
    os.kill(victim, signal.SIGKILL)


def test_controller_killed_on_the_way_and_the_client_gone(tmp_path: Path) -> None:
    with running(*started(tmp_path / "data")) as up:
        rollplane(f"apply -f {EXAMPLE / 'redis-master.yaml'}", server=up.server)

        def shows(command: str, text: str) -> bool:
            return text in rollplane(command, server=up.server).out

        eventually(lambda: shows("get rc redis-master", "2         2         2"), "the pods are never ready")
        # The client is killed before the first old pod can have gone, then the controller: its lease has to run out.
        line = f"rolling-update redis-master --image=redis-master:2.0 {SLOW}"
        with Detached(line, up.server):
            eventually(lambda: shows("get rc", "redis-master-"), "no new controller is made")
        _kill_controller(up)
        eventually(lambda: shows("get rc redis-master", "1         1         1"), "nobody takes the update up")
        eventually(lambda: not shows("get rc", "redis-master-"), "the update is never finished")
        eventually(lambda: shows("get rc redis-master", "2         2         2"), "the pods are lost")
        pods = rollplane("get pods -o yaml", server=up.server).out
        assert ("image: redis-master:2.0" in pods, "image: redis-master:1.0" in pods) == (True, False)


class Detached:
    """A client that is killed when the context is left."""

    def __init__(self, line: str, server: str) -> None:
        environ = {**os.environ, "ROLLPLANE_SERVER": server}
        self._process = subprocess.Popen([*COMMAND, *line.split()], env=environ, stdout=subprocess.DEVNULL)

    def __enter__(self) -> None:
        """Nothing to do: it runs."""

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
