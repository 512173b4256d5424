"""Nodes that a load drains: only its own pods are sent away, and in the end all nodes are as they were."""

from __future__ import annotations

import asyncio
import json
from random import Random

from rollplane_load.cluster import Cluster
from rollplane_load.watcher import Watcher
from rollplane_machinery.api import Evict, Key, Patch, PatchType, Preconditions
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, TooManyRequestsError
from rollplane_machinery.kinds import NODE, POD

AGAIN_SECONDS = 1.0
"""After a budget has said no."""


class Nodes:
    """Cordons, drains and uncordons; ``cordoned`` are those that are yet to be given back."""

    def __init__(self, cluster: Cluster, watcher: Watcher, namespace: str, clock: Clock) -> None:
        self._cluster = cluster
        self._watcher = watcher
        self._namespace = namespace
        self._clock = clock
        self.cordoned: set[str] = set()

    def any(self, dice: Random) -> str:
        """Draw one of the nodes that pods of the load are on and that are not cordoned yet."""
        names = [node for node in self._watcher.pods.nodes() if node not in self.cordoned]
        if not names:
            raise NotFoundError("no node has pods of this load")
        return names[int(dice.random() * len(names))]

    async def drain(self, node: str, seconds: float) -> float:
        """Cordon ``node`` and evict the load's pods, but those of DaemonSets; returns when the watcher saw them gone.

        Raises TimedOutError after ``seconds``.
        """
        self.cordoned.add(node)
        await self._set(node, unschedulable=True)
        book = self._watcher.pods
        leaving = {uid: pod.name for uid, pod in book.on_node(node).items() if not pod.of_node}
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for uid, name in leaving.items():
                tasks.create_task(self._evict(name, uid))
        return await self._watcher.until(
            lambda: not any(book.there(uid) for uid in leaving), seconds, f"node {node} is not empty"
        )

    async def uncordon(self, node: str) -> None:
        """Let pods come to ``node`` again."""
        await self._set(node, unschedulable=False)
        self.cordoned.discard(node)

    async def _evict(self, name: str, uid: str) -> None:
        write = Evict(Key(POD, self._namespace, name), preconditions=Preconditions(uid=uid))
        while True:
            try:
                await self._cluster.write(write)
            except TooManyRequestsError:
                await self._clock.sleep(AGAIN_SECONDS)
            except (NotFoundError, ConflictError):
                return  # gone already, or another by its name
            else:
                return

    async def _set(self, node: str, *, unschedulable: bool) -> None:
        body = json.dumps({"spec": {"unschedulable": unschedulable or None}}).encode()
        await self._cluster.write(Patch(Key(NODE, "", node), PatchType.STRATEGIC_MERGE, body))
