"""What one fleet process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_kubelet_sim.limits import MAX_NODES, check_prefix
from rollplane_kubelet_sim.node_pools.given import read_pools
from rollplane_kubelet_sim.node_pools.pools import NodeShape
from rollplane_kubelet_sim.profiles import NAMES, shipped_text
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.errors import NotFoundError
from rollplane_service.settings import WORKER_FLAGS, Flag, WorkerSettings
from rollplane_service.settings import read_arguments as read


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(WorkerSettings):
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``nodes`` nodes, 0 for as many as the pools have, or 10 without any. ``node_pool`` are pools of them, joined by
    ``;`` in the variable; ``node_file`` is a file of pools, or of nodes of a real cluster. Others are named
    ``<node_prefix>-<number>``. Numbers begin with ``first_node``. A node offers ``node_cpu``, ``node_memory`` and
    ``node_pods`` unless its pool says otherwise. ``profile`` is a shipped one's name or the path of a file.
    """

    health_listen: str = "127.0.0.1:7073"
    metrics_listen: str = "127.0.0.1:7075"
    nodes: int = 0
    node_pool: tuple[str, ...] = ()
    node_file: str = ""
    node_prefix: str = "node"
    first_node: int = 0
    node_cpu: str = "32"
    node_memory: str = "128Gi"
    node_pods: int = 250
    profile: str = "realistic"

    def __post_init__(self) -> None:
        WorkerSettings.__post_init__(self)  # not super(): a dataclass with slots is another class than its body's
        if not 0 <= self.nodes <= MAX_NODES:
            raise ValueError(f"nodes is {self.nodes}, want 1 to {MAX_NODES}, or 0 for as many as the pools have")
        if self.first_node < 0:
            raise ValueError(f"first_node is {self.first_node}, want 0 or more")
        check_prefix(self.node_prefix, self.first_node + max(self.nodes, 1) - 1)


def read_fleet(settings: Settings) -> FleetSettings:
    """Return what the fleet is told; raises RollplaneError, and OSError for a file of nodes that cannot be read."""
    return FleetSettings(
        settings.node_prefix,
        settings.nodes or None,
        settings.first_node,
        NodeShape(settings.node_cpu, settings.node_memory, settings.node_pods),
        settings.release,
        read_pools(settings.node_pool, settings.node_file),
    )


def read_profile(name: str) -> Profile:
    """Return the shipped profile of that name, or the one in the file at that path; raises RollplaneError."""
    return parse_profile(profile_text(name), name)


def profile_text(name: str) -> str:
    """Return the YAML of the shipped profile of that name, or of the file; raises NotFoundError without either."""
    path = Path(name)
    if name in NAMES:
        return shipped_text(name)
    if not path.is_file():
        raise NotFoundError(f"no profile {name!r}: there are {', '.join(NAMES)}, and no such file")
    return path.read_text(encoding="utf-8")


FLAGS = (
    *WORKER_FLAGS,
    Flag("nodes", "N", "how many nodes; as many as the pools have when not given, or 10"),
    Flag("node_pool", "POOL", "a pool of them, such as name=gpu,count=4,zone=a,cpu=16; may be repeated"),
    Flag("node_file", "FILE", "pools in a file, or what kubectl get nodes -o yaml shows"),
    Flag("node_prefix", "NAME", "what their names begin with"),
    Flag("first_node", "N", "the number of the first"),
    Flag("profile", "NAME|FILE", f"how pods live: {', '.join(NAMES)}, or a file"),
)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    return read(Settings, "rollplane_kubelet_sim", "A fleet of simulated nodes.", FLAGS, arguments, environ)
