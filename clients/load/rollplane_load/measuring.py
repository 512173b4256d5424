"""A load test against a plane that runs, or one that is started for it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rollplane_client.embedded import EmbeddedPlane, PlaneSettings
from rollplane_client.grpc_api import connect
from rollplane_load.rollover import Load, Report, RolloverTest
from rollplane_machinery.clock import Clock


@dataclass(frozen=True, slots=True)
class Target:
    """The plane at ``server``, or, when that is empty, a durable one of its own with ``nodes`` and ``profile``."""

    server: str = ""
    nodes: int = 100
    profile: str = "instant"


async def measure(load: Load, target: Target, *, clock: Clock) -> Report:
    """Run the rollover test and return its report; a plane started for it has ended then.

    Raises ValueError for a target that makes no sense, TimedOutError when a phase does not complete in its time.
    """
    async with _plane(target) as (address, pids), connect(address, name="load") as api:
        return await RolloverTest(api, load, clock=clock, pids=pids).run()


@asynccontextmanager
async def _plane(target: Target) -> AsyncIterator[tuple[str, Mapping[str, int]]]:
    """Yield the address of the plane to measure and the processes it consists of, as far as they are ours."""
    load_tester = {"load tester": os.getpid()}
    if target.server:
        yield target.server, load_tester
        return
    with tempfile.TemporaryDirectory(prefix="rollplane-load-") as folder:
        settings = PlaneSettings(Path(folder), port=0, nodes=target.nodes, profile=target.profile)
        async with EmbeddedPlane(settings) as plane:
            services = {child.name: child.pid for child in plane.children[1:]}
            yield plane.address, {"redis": plane.store_pid, **services, **load_tester}


def table(report: Report) -> str:
    """Return the report as a person reads it."""
    rows = [
        ("deployments x replicas", f"{report.deployments} x {report.replicas}"),
        ("create, all available", f"{report.create_seconds:.2f} s   {report.pods_per_second:.0f} pods/s"),
        ("rollover v1-v2-v3", f"{report.rollover_seconds:.2f} s"),
        ("one rollout to v3", f"P50 {report.rollout_p50_seconds:.2f} s   P99 {report.rollout_p99_seconds:.2f} s"),
        ("set image", f"P50 {report.write_p50_seconds * 1e3:.1f} ms   P99 {report.write_p99_seconds * 1e3:.1f} ms"),
    ]
    for name, seconds in report.cpu_seconds.items():
        rows.append((name, f"{seconds:.2f} CPU s   {report.peak_mib[name]:.0f} MiB at most"))
    rows.append(("invariant violations", str(len(report.invariant_violations))))
    lines = [f"{name:<24}{value}" for name, value in rows]
    return "\n".join([*lines, *report.invariant_violations])
