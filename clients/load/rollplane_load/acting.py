"""Actions on workloads, as plain writes of objects: the same over gRPC and REST, on a plane and on any Kubernetes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rollplane.core.v1 import PodSpec
from rollplane_load.cluster import Cluster, RollingUpdates
from rollplane_load.nodes import Nodes
from rollplane_load.scenario.model import Action
from rollplane_load.subjects import CONTAINER, Images, Subject, manifest
from rollplane_load.watcher import Watcher
from rollplane_machinery.api import Create, Delete, Key, Patch, PatchType, Propagation, Write, WriteResult
from rollplane_machinery.errors import RollplaneError, UnsupportedError
from rollplane_machinery.kinds import POD, REPLICATION_CONTROLLER, Encoded

IN_FLIGHT = 64
"""Writes of a load under way at once."""
BATCH = 200
MOST_REPLICAS = 2
"""A workload is scaled to anything from one pod to so many times what it began with."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True)
class Hands:
    """What actions are carried out with; ``patience`` bounds each rollout, in seconds."""

    cluster: Cluster
    watcher: Watcher
    nodes: Nodes
    images: Images
    pod: PodSpec
    patience: float
    rolling: RollingUpdates | None = None


class Actor:
    """Carries actions out; each returns, in monotonic seconds, when the watcher saw it done.

    Raises what refused a write, TimedOutError for what is not done in time.
    """

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._actions: Mapping[Action, Callable[[Subject, Random, float], Awaitable[float]]] = {
            Action.CREATE: self._create,
            Action.ROLL: self._roll,
            Action.ROLLOVER: self._roll_over,
            Action.SCALE: self._scale,
            Action.RESTART: self._restart,
            Action.PAUSE: self._pause,
            Action.UNDO: self._undo,
            Action.DELETE_PODS: self._delete_pods,
            Action.DELETE: self._delete,
            Action.DRAIN: self._drain,
        }

    async def act(self, action: Action, subject: Subject, dice: Random, overlap: float) -> float:
        """Carry out ``action``; what is drawn is drawn from ``dice``."""
        return await self._actions[action](subject, dice, overlap)

    async def create_all(self, subjects: Sequence[Subject]) -> Sequence[int]:
        """Create all of them, in batches, and return the revisions."""
        revisions = []
        for start in range(0, len(subjects), BATCH):
            creates = [self._creation(each) for each in subjects[start : start + BATCH]]
            for answer in await self._hands.cluster.batch(creates):
                if isinstance(answer, RollplaneError):
                    raise answer
                revisions.append(answer.revision)
        return revisions

    async def next_image(self, subject: Subject) -> int:
        """Set the next image and return the revision."""
        image = self._hands.images.image(subject.take_next())
        self._hands.watcher.expect(subject.name, image)
        return await self._set_image(subject, image)

    async def done(self, subject: Subject, revision: int) -> float:
        """Return when what the write at ``revision`` asked for was seen done."""
        return await self._hands.watcher.done(subject.key, revision, self._hands.patience)

    # Actions.

    async def _create(self, subject: Subject, _dice: Random, _overlap: float) -> float:
        return await self._after(subject, self._creation(subject))

    async def _roll(self, subject: Subject, _dice: Random, _overlap: float) -> float:
        if subject.kind is REPLICATION_CONTROLLER:
            return await self._rolling_update(subject)
        return await self.done(subject, await self.next_image(subject))

    async def _rolling_update(self, subject: Subject) -> float:
        if self._hands.rolling is None:
            raise UnsupportedError("a rolling update of ReplicationControllers wants a plane over gRPC")
        async with asyncio.timeout(self._hands.patience):
            await self._hands.rolling.roll(subject.key, self._hands.images.image(subject.take_next()))
        return await self.done(subject, 0)

    async def _roll_over(self, subject: Subject, _dice: Random, overlap: float) -> float:
        await self.next_image(subject)
        wanted = overlap * subject.replicas
        watcher, name = self._hands.watcher, subject.name
        await watcher.until(
            lambda: watcher.fresh_of(name) >= wanted, self._hands.patience, f"the update of {name} does not come up"
        )
        return await self.done(subject, await self.next_image(subject))

    async def _scale(self, subject: Subject, dice: Random, _overlap: float) -> float:
        sizes = [size for size in range(1, MOST_REPLICAS * max(2, subject.replicas) + 1) if size != subject.replicas]
        subject.replicas = sizes[int(dice.random() * len(sizes))]
        body = {"spec": {"replicas": subject.replicas}}
        return await self._after(subject, Patch(subject.key, PatchType.MERGE, _bytes(body), "scale"))

    async def _restart(self, subject: Subject, dice: Random, _overlap: float) -> float:
        mark = f"{dice.getrandbits(64):x}"
        return await self._patched(subject, {"spec": {"template": {"metadata": {"annotations": {RESTARTED: mark}}}}})

    async def _pause(self, subject: Subject, _dice: Random, _overlap: float) -> float:
        await self._write(_patch(subject.key, {"spec": {"paused": True}}))
        await self.next_image(subject)
        return await self._patched(subject, {"spec": {"paused": None}})

    async def _undo(self, subject: Subject, _dice: Random, _overlap: float) -> float:
        image = self._hands.images.image(subject.take_back())
        return await self.done(subject, await self._set_image(subject, image))

    async def _delete_pods(self, subject: Subject, dice: Random, _overlap: float) -> float:
        pods = list(self._hands.watcher.pods.of_subject(subject.name).items())
        if not pods:
            return await self.done(subject, 0)
        uid, pod = pods[int(dice.random() * len(pods))]
        await self._write(Delete(Key(POD, subject.key.namespace, pod.name)))
        book, watcher = self._hands.watcher.pods, self._hands.watcher

        def whole() -> bool:
            look = watcher.look(subject.key)
            return not book.there(uid) and look.done and book.whole(subject.name, look.desired)

        return await watcher.until(whole, self._hands.patience, f"{subject.name} is not whole again")

    async def _delete(self, subject: Subject, _dice: Random, _overlap: float) -> float:
        await self._write(Delete(subject.key, propagation=Propagation.FOREGROUND))
        watcher = self._hands.watcher
        return await watcher.until(
            lambda: not watcher.is_there(subject.key), self._hands.patience, f"{subject.name} has not gone"
        )

    async def _drain(self, _subject: Subject, dice: Random, _overlap: float) -> float:
        nodes = self._hands.nodes
        node = nodes.any(dice)
        try:
            return await nodes.drain(node, self._hands.patience)
        finally:
            await nodes.uncordon(node)

    # Writes.

    def _creation(self, subject: Subject) -> Create:
        return Create(Encoded.of(manifest(subject, self._hands.images.image(subject.version), self._hands.pod)))

    async def _set_image(self, subject: Subject, image: str) -> int:
        containers = [{"name": CONTAINER, "image": image}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        return (await self._write(_patch(subject.key, body))).revision

    async def _patched(self, subject: Subject, body: Mapping[str, Any]) -> float:
        return await self._after(subject, _patch(subject.key, body))

    async def _after(self, subject: Subject, write: Write) -> float:
        return await self.done(subject, (await self._write(write)).revision)

    async def _write(self, write: Write) -> WriteResult:
        async with self._slots:
            return await self._hands.cluster.write(write)


def _patch(key: Key, body: Mapping[str, Any]) -> Patch:
    return Patch(key, PatchType.STRATEGIC_MERGE, _bytes(body))


def _bytes(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()
