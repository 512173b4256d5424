"""Nodes in whatever form a test or a rehearsal has them: a number, pools, a file, or Node objects of a real cluster."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rollplane.core.v1 import Node
from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_kubelet_sim.node_pools.files import parse_node_file
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_machinery.codec import to_json
from rollplane_machinery.releases import Release

Nodes = int | Path | Sequence[NodePool | Node]


def fleet_of(nodes: Nodes, release: Release) -> FleetSettings:
    """Return the fleet that ``nodes`` ask for; raises InvalidError for what cannot be read, OSError for no such file.

    A Path is that of a file of pools, or of what ``kubectl get nodes -o yaml`` shows.
    """
    if isinstance(nodes, int):
        return FleetSettings(nodes=nodes, release=release)
    if isinstance(nodes, Path):
        return FleetSettings(pools=parse_node_file(nodes.read_bytes(), str(nodes)), release=release)
    return FleetSettings(pools=tuple(pool for node in nodes for pool in _pools(node)), release=release)


def _pools(node: NodePool | Node) -> Sequence[NodePool]:
    if isinstance(node, NodePool):
        return (node,)
    return parse_node_file(json.dumps(to_json(node)), f"node {node.metadata.name}")
