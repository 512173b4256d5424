"""What can be said of a node by looking at it."""

from __future__ import annotations

from rollplane.core.v1 import Node
from rollplane_machinery.conditions import is_true

NODE_READY = "Ready"


def is_node_ready(node: Node) -> bool:
    """Return whether the node's Ready condition is True; one that nobody has reported is not."""
    return is_true(node.status.conditions, NODE_READY)
