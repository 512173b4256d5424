"""Nodes that an earlier run of a plane had and this one has not: nobody is left to speak for them."""

from __future__ import annotations

import re
from collections.abc import Collection

from rollplane.core.v1 import Node
from rollplane_kubelet_sim.node_pools.pools import FLEET_ANNOTATION
from rollplane_machinery.api import Delete, Key, ListQuery, ObjectApi, Preconditions
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_machinery.kinds import NODE

BATCH = 500


async def remove_old_nodes(api: ObjectApi, prefix: str, names: Collection[str]) -> list[str]:
    """Delete the nodes of the fleet ``prefix`` that are not among ``names``, and return their names, in order.

    A node says whose it is; one that says nothing belongs to the fleet when it is called ``<prefix>-<number>``.
    Their pods go as after any deletion of a node. Raises what refuses one of them.
    """
    kept = frozenset(names)
    old = [node for node in await _nodes(api) if node.metadata.name not in kept and _is_of(node, prefix)]
    deletes = [
        Delete(Key(NODE, "", node.metadata.name), preconditions=Preconditions(uid=node.metadata.uid))
        for node in sorted(old, key=_place)
    ]
    for start in range(0, len(deletes), BATCH):
        for answer in await api.batch(deletes[start : start + BATCH]):
            if isinstance(answer, RollplaneError) and not isinstance(answer, NotFoundError):
                raise answer
    return [delete.key.name for delete in deletes]


def _is_of(node: Node, prefix: str) -> bool:
    if fleet := node.metadata.annotations.get(FLEET_ANNOTATION):
        return fleet == prefix
    return re.fullmatch(rf"{re.escape(prefix)}-(0|[1-9][0-9]*)", node.metadata.name) is not None


def _place(node: Node) -> tuple[str, int]:
    """By what stands before its number, then by that."""
    stem, _, number = node.metadata.name.rpartition("-")
    return (stem, int(number)) if number.isdecimal() else (node.metadata.name, 0)


async def _nodes(api: ObjectApi) -> list[Node]:
    nodes: list[Node] = []
    token = ""
    while True:
        page = await api.list(ListQuery(NODE, continue_token=token))
        nodes += [Node.FromString(encoded.value) for encoded in page.objects]
        token = page.continue_token
        if not token:
            return nodes
