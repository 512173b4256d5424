"""The pools that a process was started with, on its command line and in a file, and the nodes that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rollplane_kubelet_sim.node_pools.grammar import parse_pool
from rollplane_kubelet_sim.node_pools.pools import NodePool


def read_pools(written: Sequence[str], file: str) -> tuple[NodePool, ...]:
    """Return the pools ``written`` as ``--node-pool`` takes them behind those in ``file``, when it names one.

    Raises InvalidError naming every field that is wrong, and OSError for a file that cannot be read.
    """
    pools = _in_file(Path(file)) if file else ()
    return (*pools, *(parse_pool(each) for each in written))


def _in_file(path: Path) -> tuple[NodePool, ...]:
    from rollplane_kubelet_sim.node_pools.files import parse_node_file  # YAML takes its time to load

    return parse_node_file(path.read_bytes(), str(path))
