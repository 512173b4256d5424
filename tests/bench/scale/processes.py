"""Rollovers on planes of one process of each kind and of several, by turns; ``rollplane load`` measures them."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_machinery.errors import InternalError
from tests.bench.scale.planes import Shape, plane


@dataclass(frozen=True)
class Run:
    """Seconds to create and to roll over, CPU seconds of the plane and the load tester, broken invariants."""

    create: float
    rollover: float
    cpu: float
    broken: int


async def roll_over(shape: Shape, deployments: int, replicas: int) -> Run:
    """Start such a plane and roll over on it once; raises InternalError when the load tester fails."""
    async with plane(shape) as running:
        pids = [f"--pid={name.replace(' ', '-')}={pid}" for name, pid in running.pids.items()]
        sizes = ("--deployments", str(deployments), "--replicas", str(replicas))
        tester = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys; from rollplane_cli.main import run; sys.exit(run())",
            *("load", "rollover", "--server", running.address, *sizes, *pids, "-o", "json"),
            stdout=subprocess.PIPE,
        )
        told, _ = await tester.communicate()
    if tester.returncode not in (0, 1):
        raise InternalError(f"the load tester ended with {tester.returncode}")
    found = json.loads(told)
    cpu = sum(found["cpu_seconds"].values())
    return Run(found["create_seconds"], found["rollover_seconds"], cpu, len(found["invariant_violations"]))


async def by_turns(shapes: Sequence[Shape], deployments: int, replicas: int, rounds: int) -> list[list[Run]]:
    """Return for each shape so many runs, made by turns, since a machine's speed drifts."""
    runs: list[list[Run]] = [[] for _ in shapes]
    for _ in range(rounds):
        for shape, made in zip(shapes, runs, strict=True):
            made.append(await roll_over(shape, deployments, replicas))
    return runs


def median(runs: Sequence[Run]) -> Run:
    """Return the median of each figure; of what was broken, all."""
    return Run(
        statistics.median(one.create for one in runs),
        statistics.median(one.rollover for one in runs),
        statistics.median(one.cpu for one in runs),
        sum(one.broken for one in runs),
    )
