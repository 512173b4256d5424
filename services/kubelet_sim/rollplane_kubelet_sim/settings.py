"""What one fleet process is started with: ``ROLLPLANE_*`` variables, then flags on top of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rollplane_kubelet_sim.profiles import NAMES, shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.errors import NotFoundError
from rollplane_service.environment import read_settings
from rollplane_service.listen import check_address


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is the variable ``ROLLPLANE_<FIELD>``; raises ValueError for one that makes no sense.

    ``nodes`` nodes named ``<node_prefix>-<number>``, numbered from ``first_node``, each offering ``node_cpu``,
    ``node_memory`` and ``node_pods``. ``profile`` is a shipped one's name or the path of a file.
    """

    server: str = "127.0.0.1:7070"
    health_listen: str = "127.0.0.1:7073"
    insecure_bind: bool = False
    nodes: int = 10
    node_prefix: str = "node"
    first_node: int = 0
    node_cpu: str = "32"
    node_memory: str = "128Gi"
    node_pods: int = 250
    profile: str = "realistic"
    log_level: str = "info"

    def __post_init__(self) -> None:
        check_address(self.health_listen, insecure_bind=self.insecure_bind)
        if not 1 <= self.nodes <= 16_384:
            raise ValueError(f"nodes is {self.nodes}, want 1 to 16384")
        if self.first_node < 0:
            raise ValueError(f"first_node is {self.first_node}, want 0 or more")


def read_profile(name: str) -> Profile:
    """Return the shipped profile of that name, or the one in the file at that path; raises RollplaneError."""
    path = Path(name)
    if name in NAMES:
        return shipped_profile(name)
    if not path.is_file():
        raise NotFoundError(f"no profile {name!r}: there are {', '.join(NAMES)}, and no such file")
    return parse_profile(path.read_text(encoding="utf-8"), name)


def read_arguments(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings of one start; prints help or the mistake and raises SystemExit where argparse does."""
    parser = argparse.ArgumentParser(
        prog="rollplane_kubelet_sim",
        description="A fleet of simulated nodes.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--server", metavar="ADDRESS", help="the apiserver's address")
    parser.add_argument("--health-listen", metavar="ADDRESS", help="host:port of grpc.health.v1")
    parser.add_argument("--insecure-bind", action="store_true", help="allow a health address others can reach")
    parser.add_argument("--nodes", type=int, metavar="N", help="how many nodes")
    parser.add_argument("--node-prefix", metavar="NAME", help="what their names begin with")
    parser.add_argument("--first-node", type=int, metavar="N", help="the number of the first")
    parser.add_argument("--profile", metavar="NAME|FILE", help=f"how pods live: {', '.join(NAMES)}, or a file")
    given = vars(parser.parse_args(arguments))
    try:
        return read_settings(Settings, environ, given)
    except ValueError as exc:
        parser.error(str(exc))
