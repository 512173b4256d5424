"""``python -m rollplane_load``: how fast a plane is, measured from outside."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rollplane_client.process import run_until_signal
from rollplane_load.measuring import Target, measure, table
from rollplane_load.rollover import Load, Report
from rollplane_machinery.clock import SystemClock


def run(arguments: Sequence[str]) -> int:
    """Run the load test that ``arguments`` ask for; the exit code is 1 when an invariant was broken."""
    given = _parser().parse_args(arguments)
    reports: list[Report] = []

    async def work() -> None:
        load = Load(given.deployments, given.replicas, given.overlap, timeout_seconds=given.timeout)
        target = Target(given.server or "", given.nodes, given.profile)
        reports.append(await measure(load, target, clock=SystemClock()))

    try:
        code = run_until_signal(work, "rollplane load")
    except* ValueError as group:
        sys.stderr.write(f"error: {group.exceptions[0]}\n")
        code = 1
    for report in reports:
        print(json.dumps(report.as_json(), indent=2) if given.output == "json" else table(report))
    return code or int(any(report.invariant_violations for report in reports) or not reports)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rollplane_load", description="Measure a plane under load.")
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
