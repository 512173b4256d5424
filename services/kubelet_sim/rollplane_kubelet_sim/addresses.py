"""Addresses for nodes and pods: unique among those that live, the same for a node in every life."""

from __future__ import annotations

from ipaddress import IPv4Address

NODES_FROM = int(IPv4Address("172.16.0.1"))
PODS_FROM = int(IPv4Address("10.0.0.0"))
PODS_EACH = 1024
"""Addresses set aside for one node's pods; 16,384 nodes share 10.0.0.0/8."""


class PodAddresses:
    """The pod addresses of one node."""

    def __init__(self, node: int) -> None:
        self._first = PODS_FROM + node * PODS_EACH + 1
        self._next = 0
        self._taken: set[str] = set()

    def take(self) -> str:
        """Return an address no live pod of the node has; the next in turn, so that a freed one rests for a while."""
        for _ in range(PODS_EACH - 2):
            address = str(IPv4Address(self._first + self._next))
            self._next = (self._next + 1) % (PODS_EACH - 2)
            if address not in self._taken:
                self._taken.add(address)
                return address
        return ""

    def hold(self, address: str) -> None:
        """Keep an address that a pod has already, as read from its status."""
        self._taken.add(address)

    def free(self, address: str) -> None:
        """Give an address back."""
        self._taken.discard(address)


def node_address(node: int) -> str:
    """Return the internal address of the node with that number."""
    return str(IPv4Address(NODES_FROM + node))
