"""Planes for tests: CPU and wall seconds until each is there; on a core of one's own the server's wall is its CPU."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from rollplane_testing.living import living_alone
from rollplane_testing.options import Options
from rollplane_testing.server import Server

RUNS = 5
PLUGIN = "import time; began = time.process_time(); import pytest; between = time.process_time()\n"
PLUGIN += "import rollplane_testing.plugin; print(time.process_time() - between)"


def main() -> None:
    """Print a line for each."""
    told = [float(subprocess.check_output([sys.executable, "-c", PLUGIN])) for _ in range(RUNS)]
    print(f"plugin loaded beside pytest  {_ms(told)} CPU")
    _cpu(lambda: living_alone(Options()))  # what is imported once is paid by the first
    print(f"rollplane                    {_ms([_cpu(lambda: living_alone(Options())) for _ in range(RUNS)])} CPU")
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = zip(*(_server(Path(folder) / str(number)) for number in range(RUNS)), strict=True)
        print(f"rollplane_server             {_ms(wall)} wall, {_ms(cpu)} CPU with its end")
        with Server(Options(), Path(folder)) as server:
            print(f"a namespace on it            {_ms([_wall(server.place) for _ in range(RUNS)])} wall")


def _server(folder: Path) -> tuple[float, float]:
    before = getrusage(RUSAGE_CHILDREN)
    wall = _wall(lambda: Server(Options(), folder))
    after = getrusage(RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _wall(enter: Callable[[], AbstractContextManager[Any]]) -> float:
    began = time.perf_counter()
    with enter():
        return time.perf_counter() - began


def _cpu(enter: Callable[[], AbstractContextManager[Any]]) -> float:
    began = time.process_time()
    with enter():
        return time.process_time() - began


def _ms(seconds: Any) -> str:
    """Return the median, with the least and the most."""
    ordered = [each * 1000 for each in sorted(seconds)]
    return f"{ordered[len(ordered) // 2]:6.1f} ms ({ordered[0]:.1f} to {ordered[-1]:.1f})"


if __name__ == "__main__":
    main()
