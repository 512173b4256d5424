"""What one controller process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollplane_controller.reconcile.event_expiry import EventLimits
from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_service.settings import WORKER_FLAGS, Flag, WorkerSettings
from rollplane_service.settings import read_arguments as read


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(WorkerSettings):
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``identity`` must differ between processes; empty makes one up. ``seed`` fixes the names of pods, 0 leaves them to
    chance. The ``node_…`` fields are those of NodeTimes, which tells them apart: seconds, and nodes a second;
    ``node_grace_seconds`` 0 is what the release grants. Events are kept for ``event_ttl_seconds`` after they were last
    seen, and at most ``event_limit`` of them. ``controller_qps`` is how many writes a second each controller sends,
    half as many again at once; 0 sends all at once.
    """

    health_listen: str = "127.0.0.1:7072"
    metrics_listen: str = "127.0.0.1:7074"
    identity: str = ""
    life: str = ""
    seed: int = 0
    node_monitor_seconds: float = 5.0
    node_grace_seconds: float = 0.0
    node_startup_grace_seconds: float = 60.0
    node_eviction_rate: float = 0.1
    node_secondary_eviction_rate: float = 0.01
    event_ttl_seconds: float = 3600.0
    event_limit: int = 100_000
    controller_qps: float = 0.0

    def __post_init__(self) -> None:
        WorkerSettings.__post_init__(self)  # not super(): a dataclass with slots is another class than its body's
        self.node_times()
        self.event_limits()
        check_qps(self.controller_qps)

    def node_times(self) -> NodeTimes:
        """Return when nodes are given up; raises ValueError for times that make no sense."""
        return NodeTimes(
            monitor_seconds=self.node_monitor_seconds,
            grace_seconds=self.node_grace_seconds or self.release.node_grace_seconds,
            startup_grace_seconds=self.node_startup_grace_seconds,
            eviction_rate=self.node_eviction_rate,
            secondary_eviction_rate=self.node_secondary_eviction_rate,
        )

    def event_limits(self) -> EventLimits:
        """Return how long Events are kept, and how many; raises ValueError for limits that would keep nothing."""
        return EventLimits(self.event_ttl_seconds, self.event_limit)


def check_qps(qps: float) -> None:
    """Raise ValueError for a rate that makes no sense."""
    if not 0 <= qps < float("inf"):
        raise ValueError(f"controller_qps is {qps:g}, want 0 (unthrottled) or more")


FLAGS = (
    *WORKER_FLAGS,
    Flag("identity", "NAME", "who holds the shards, to people; differs between controllers"),
    Flag("life", "WHO.NUMBER", "which life of it this is, of those that are started one after the other's end"),
    Flag("controller_qps", "N", "writes a second of each controller, 20 as kube-controller-manager; 0: unthrottled"),
)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    return read(Settings, "rollplane_controller", "The controllers of a Rollplane cell.", FLAGS, arguments, environ)
