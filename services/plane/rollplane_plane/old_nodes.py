"""Nodes that an earlier run of a plane had and this one has not: nobody is left to speak for them."""

from __future__ import annotations

import re

from rollplane.core.v1 import Node
from rollplane_machinery.api import Delete, Key, ListQuery, ObjectApi, Preconditions
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_machinery.kinds import NODE

BATCH = 500


async def remove_old_nodes(api: ObjectApi, prefix: str, count: int) -> list[str]:
    """Delete the nodes ``<prefix>-<number>`` from the number ``count`` on, and return their names in order.

    Their pods go as after any deletion of a node. Raises what refuses one of them.
    """
    numbered = re.compile(rf"{re.escape(prefix)}-(0|[1-9][0-9]*)")
    old: list[tuple[int, Delete]] = []
    for node in await _nodes(api):
        found = numbered.fullmatch(node.metadata.name)
        if found and int(found[1]) >= count:
            key = Key(NODE, "", node.metadata.name)
            old.append((int(found[1]), Delete(key, preconditions=Preconditions(uid=node.metadata.uid))))
    deletes = [delete for _, delete in sorted(old, key=lambda one: one[0])]
    for start in range(0, len(deletes), BATCH):
        for answer in await api.batch(deletes[start : start + BATCH]):
            if isinstance(answer, RollplaneError) and not isinstance(answer, NotFoundError):
                raise answer
    return [delete.key.name for delete in deletes]


async def _nodes(api: ObjectApi) -> list[Node]:
    nodes: list[Node] = []
    token = ""
    while True:
        page = await api.list(ListQuery(NODE, continue_token=token))
        nodes += [Node.FromString(encoded.value) for encoded in page.objects]
        token = page.continue_token
        if not token:
            return nodes
