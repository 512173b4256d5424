"""Planes in virtual time: CPU seconds for a rollover in flight, for many runs of a rollout, for idle time; and memory.

CPU and not wall time, since nothing is waited for: on a core of one's own both are the same. Each measurement has a
process of its own, so that memory is its own, too.
"""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import statistics
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from rollplane_rehearsal import Plane, run
from rollplane_rehearsal.branches import Work, run_branches
from rollplane_rehearsal.series import prepare
from tests.rehearsal.manifests import Json, deployment

RUNS, PODS, NODES = 3, 1000, 100
SERIES, SMALL, PROCESSES = 200, 30, 2
IDLE_SECONDS = 600.0


@dataclass
class Rollover:
    """CPU seconds of each part; ``changes`` of the whole."""

    start: float
    create: float
    rollover: float
    idle: float
    changes: int
    mebibytes: float


def _web(number: int, replicas: int, version: int) -> Json:
    return deployment(f"web-{number}", replicas=replicas, image=f"web:v{version}")


async def _rollover(deployments: int) -> Rollover:
    """1,000 pods of v1, v2 applied, and v3 when a third of them is there; then idle time."""
    times = [time.process_time()]

    def lap() -> None:
        times.append(time.process_time())

    replicas = PODS // deployments
    async with Plane(NODES, profile="instant", seed=1) as plane:
        lap()
        await plane.apply(*(_web(number, replicas, 1) for number in range(deployments)))
        await plane.until_rolled_out()
        lap()
        await plane.apply(*(_web(number, replicas, 2) for number in range(deployments)))
        await plane.until(lambda: sum(look.updated for look in plane.rollouts.values()) >= PODS // 3)
        await plane.apply(*(_web(number, replicas, 3) for number in range(deployments)))
        await plane.until_rolled_out()
        lap()
        await plane.advance(IDLE_SECONDS)
        lap()
        laps = [after - before for before, after in itertools.pairwise(times)]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return Rollover(laps[0], laps[1], laps[2], laps[3], len(plane.log), memory)


@asynccontextmanager
async def _rested() -> AsyncIterator[Plane]:
    """Yield a plane on which 30 pods are at rest."""
    async with Plane(10, profile="realistic") as plane:
        await plane.apply(_web(0, SMALL, 1))
        await plane.until_rolled_out()
        await plane.at_rest()
        yield plane


async def _small(seed: int, plane: Plane) -> tuple[float, float]:
    """Roll 30 pods out, from rest to rest; return the virtual seconds it took, and CPU seconds."""
    began = time.process_time()
    plane.throw_anew(seed)
    await plane.apply(_web(0, SMALL, 2))
    took = await plane.until_rolled_out()
    await plane.at_rest()
    return took, time.process_time() - began


def _small_run(seed: int) -> Generator[Work[Plane, Any], Any, tuple[float, float]]:
    found: tuple[float, float] = yield partial(_small, seed)
    return found


def _measured(deployments: int) -> Rollover:
    prepare()
    return run(_rollover(deployments))


def main() -> None:
    processes = multiprocessing.get_context("spawn")
    print("deployments  start  create  rollover  10 min idle  changes  MiB")
    for deployments in (1, 10, 100):
        with processes.Pool(1, maxtasksperchild=1) as pool:
            found = pool.map(_measured, [deployments] * RUNS, chunksize=1)
        best = min(found, key=lambda one: one.rollover)
        parts = (best.start, best.create, best.rollover, best.idle)
        print(f"{deployments:11}", *(f"{seconds:7.3f}" for seconds in parts), best.changes, f"{best.mebibytes:.0f}")
    began = time.monotonic()
    series = list(run_branches(_rested, _small_run, range(SERIES), PROCESSES))
    wall = time.monotonic() - began
    took, cpu = zip(*series, strict=True)
    print(
        f"{SERIES} rollouts of {SMALL} pods, realistic: {wall:.1f} s wall on two cores, {sum(cpu):.1f} s CPU,", end=" "
    )
    print(f"{statistics.median(took):.0f} virtual seconds each (median)")


if __name__ == "__main__":
    main()
