"""What one controller process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_service.environment import read_settings
from rollplane_service.listen import check_address


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``server`` is the apiserver's address. ``health_listen`` is where grpc.health.v1 is served, port 0 for any.
    ``identity`` must differ between processes; empty makes one up. ``seed`` fixes the names of pods, 0 leaves them to
    chance. The ``node_…`` fields are those of NodeTimes, which tells them apart: seconds, and nodes a second.
    """

    server: str = "127.0.0.1:7070"
    health_listen: str = "127.0.0.1:7072"
    insecure_bind: bool = False
    identity: str = ""
    seed: int = 0
    log_level: str = "info"
    node_monitor_seconds: float = 5.0
    node_grace_seconds: float = 40.0
    node_startup_grace_seconds: float = 60.0
    node_eviction_rate: float = 0.1
    node_secondary_eviction_rate: float = 0.01

    def __post_init__(self) -> None:
        check_address(self.health_listen, insecure_bind=self.insecure_bind)
        self.node_times()

    def node_times(self) -> NodeTimes:
        """Return when nodes are given up; raises ValueError for times that make no sense."""
        return NodeTimes(
            monitor_seconds=self.node_monitor_seconds,
            grace_seconds=self.node_grace_seconds,
            startup_grace_seconds=self.node_startup_grace_seconds,
            eviction_rate=self.node_eviction_rate,
            secondary_eviction_rate=self.node_secondary_eviction_rate,
        )


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    parser = argparse.ArgumentParser(
        prog="rollplane_controller",
        description="The controllers of a Rollplane cell.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--server", metavar="ADDRESS", help="the apiserver's address")
    parser.add_argument("--health-listen", metavar="ADDRESS", help="host:port of grpc.health.v1")
    parser.add_argument("--identity", metavar="NAME", help="who holds the shards; differs between processes")
    parser.add_argument("--insecure-bind", action="store_true", help="allow a health address others can reach")
    given = vars(parser.parse_args(arguments))
    try:
        return read_settings(Settings, environ, given)
    except ValueError as exc:
        parser.error(str(exc))
