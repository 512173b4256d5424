"""``rollplane load rollover``: how fast a plane is, measured from outside."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rollplane_client.embedded import EmbeddedPlane, PlaneSettings
from rollplane_client.grpc_api import connect
from rollplane_client.process import run_until_signal
from rollplane_load.rollover import Load, Report, RolloverTest
from rollplane_machinery.clock import SystemClock


def run(arguments: Sequence[str]) -> int:
    """Run the load test that ``arguments`` ask for; the exit code is 1 when an invariant was broken."""
    given = _parser().parse_args(arguments)
    try:
        load = Load(given.deployments, given.replicas, given.overlap, timeout_seconds=given.timeout)
    except ValueError as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 1
    reports: list[Report] = []
    code = run_until_signal(lambda: _measure(load, given, reports), "rollplane load")
    for report in reports:
        print(json.dumps(report.as_json(), indent=2) if given.output == "json" else _table(report))
    return code or int(any(report.invariant_violations for report in reports) or not reports)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rollplane load", description="Measure a plane under load.")
    tests = parser.add_subparsers(dest="test", required=True, metavar="TEST")
    rollover = tests.add_parser("rollover", help="create, update, and update again while the first is in flight")
    rollover.add_argument("--deployments", type=int, default=100, metavar="D", help="how many Deployments")
    rollover.add_argument("--replicas", type=int, default=10, metavar="R", help="pods of each")
    rollover.add_argument(
        "--overlap", type=float, default=0.3, metavar="F", help="part of v2 that is up when v3 is set"
    )
    rollover.add_argument("--server", metavar="ADDRESS", help="a running plane; without it one is started and ended")
    rollover.add_argument("--nodes", type=int, default=100, help="nodes of the plane that is started")
    rollover.add_argument("--profile", default="instant", help="how its pods live")
    rollover.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="for each phase")
    rollover.add_argument("-o", "--output", choices=("table", "json"), default="table")
    return parser


async def _measure(load: Load, given: argparse.Namespace, reports: list[Report]) -> None:
    clock = SystemClock()
    async with _plane(given) as (address, pids), connect(address, name="load") as api:
        reports.append(await RolloverTest(api, load, clock=clock, pids=pids).run())


@asynccontextmanager
async def _plane(given: argparse.Namespace) -> AsyncIterator[tuple[str, Mapping[str, int]]]:
    """Yield the address of the plane to measure and the processes it consists of, as far as they are ours."""
    load_tester = {"load tester": os.getpid()}
    if given.server:
        yield given.server, load_tester
        return
    with tempfile.TemporaryDirectory(prefix="rollplane-load-") as folder:
        settings = PlaneSettings(Path(folder), port=0, nodes=given.nodes, profile=given.profile)
        async with EmbeddedPlane(settings) as plane:
            services = {child.name: child.pid for child in plane.children[1:]}
            yield plane.address, {"redis": plane.store_pid, **services, **load_tester}


def _table(report: Report) -> str:
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
