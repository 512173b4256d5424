"""A plane at rest: resident memory and CPU of each of its processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rollplane_load.usage import TICKS
from tests.bench.scale.load import Load, fill, watched
from tests.bench.scale.planes import Running, Shape, plane

FILL_SECONDS = 1800.0
SETTLE_SECONDS = 100.0
"""Until what a rollout left behind is over: Events, the first sweeps, and the packing of what is at rest."""


@dataclass(frozen=True)
class Rest:
    """By process: ``mib`` resident, ``core`` the part of a core that it took."""

    mib: Mapping[str, float]
    core: Mapping[str, float]
    fill_seconds: float


async def at_rest(shape: Shape, load: Load, seconds: float) -> Rest:
    """Start a plane, fill it, let it settle, and look at it for so long."""
    async with plane(shape) as running:
        started = time.monotonic()
        if load.pods or load.deployments:
            await fill(running.address, load, FILL_SECONDS)
        filled = time.monotonic() - started
        async with watched(running.address, load.watchers):
            await asyncio.sleep(SETTLE_SECONDS)
            return await _look(running, seconds, filled)


async def _look(running: Running, seconds: float, filled: float) -> Rest:
    before = {name: cpu_seconds(pid) for name, pid in running.pids.items()}
    await asyncio.sleep(seconds)
    core = {name: (cpu_seconds(pid) - before[name]) / seconds for name, pid in running.pids.items()}
    return Rest({name: resident_mib(pid) for name, pid in running.pids.items()}, core, filled)


def cpu_seconds(pid: int) -> float:
    """Return the user and system seconds that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    """Return the memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
