"""Workloads of every kind, changed all the time, watched by the invariant checker, and counted when all is at rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Node, Pod, ReplicationController
from rollplane_client.objects import Client
from rollplane_machinery.api import Api, Key, SetImage, StartRollingUpdate, WatchFilter, WatchQuery
from rollplane_machinery.errors import AlreadyExistsError, ExpiredError, RollplaneError
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.kinds import DEPLOYMENT, REPLICATION_CONTROLLER
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import STATE, UpdatePace

NAMESPACE = "default"
DEPLOYMENTS = ("web", "api", "jobs")
REPLICAS = 8
STATEFUL_SET, DAEMON_SET, CONTROLLER = "store", "agent", "legacy"
STATEFUL_REPLICAS, CONTROLLER_REPLICAS = 4, 4
REST_SECONDS = 180.0
CALL_SECONDS = 60.0
PACE = UpdatePace(update_period_seconds=0.2, poll_interval_seconds=0.1, timeout_seconds=120.0)

_TEMPLATE = """
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{terminationGracePeriodSeconds: 1, containers: [{{name: main, image: "{name}:1"}}]}}
"""
_HEAD = "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: default}}\nspec:\n"
_SELECTOR = "  selector: {{matchLabels: {{app: {name}}}}}\n"


def manifests() -> Sequence[str]:
    """Return one manifest for each workload."""
    texts = []
    for position, name in enumerate(DEPLOYMENTS):
        strategy = "{type: Recreate}" if position == len(DEPLOYMENTS) - 1 else "{type: RollingUpdate}"
        body = f"  replicas: {REPLICAS}\n  strategy: {strategy}\n".replace("{", "{{").replace("}", "}}")
        texts.append(_text("apps/v1", "Deployment", name, body + _SELECTOR))
    stateful = f"  replicas: {STATEFUL_REPLICAS}\n  serviceName: {STATEFUL_SET}\n"
    texts.append(_text("apps/v1", "StatefulSet", STATEFUL_SET, stateful + _SELECTOR))
    texts.append(_text("apps/v1", "DaemonSet", DAEMON_SET, _SELECTOR))
    texts.append(_text("v1", "ReplicationController", CONTROLLER, f"  replicas: {CONTROLLER_REPLICAS}\n"))
    return texts


def _text(version: str, kind: str, name: str, body: str) -> str:
    return (_HEAD + body + _TEMPLATE).format(version=version, kind=kind, name=name)


async def create_all(client: Client) -> None:
    """Create what is not there yet; waits for a plane that is away."""
    for text in manifests():
        async with asyncio.timeout(CALL_SECONDS):
            while True:
                try:
                    await client.create_yaml(text)
                except AlreadyExistsError:
                    break
                except RollplaneError:
                    await asyncio.sleep(0.5)
                else:
                    break


class Changes:
    """Somebody who deploys all day: new images, often before the last rollout is through; scaling, pausing, undoing."""

    def __init__(self, client: Client, chance: Random) -> None:
        self._client = client
        self._chance = chance
        self.made = 0
        self._version = 1

    async def run(self) -> None:
        """Change something every now and then until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 2.0))
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await self._change()
                self.made += 1
            except (RollplaneError, TimeoutError):
                continue  # refused, or the plane is away: the next change comes anyway

    async def _change(self) -> None:
        self._version += 1
        name = self._chance.choice(DEPLOYMENTS)
        roll = self._chance.random()
        if roll < 0.5:
            images = {"main": f"{name}:{self._version}"}
            await self._client.api.set_image(SetImage(Key(DEPLOYMENT, NAMESPACE, name), images))
        elif roll < 0.6:
            await self._client.scale(Deployment, NAMESPACE, name, self._chance.randint(4, 12))
        elif roll < 0.7:
            await self._client.undo(Deployment, NAMESPACE, name)
        elif roll < 0.8:
            await self._client.set_image(StatefulSet, NAMESPACE, STATEFUL_SET, {"main": f"s:{self._version}"})
        elif roll < 0.9:
            await self._client.set_image(DaemonSet, NAMESPACE, DAEMON_SET, {"main": f"d:{self._version}"})
        else:
            old = Key(REPLICATION_CONTROLLER, NAMESPACE, CONTROLLER)
            await self._client.api.start_rolling_update(
                StartRollingUpdate(old, image=f"legacy:{self._version}", pace=PACE)
            )


class Witness:
    """The invariant checker, fed by a watch that goes on wherever it can; after a gap it begins anew."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.checker = InvariantChecker()
        self.found: list[str] = []
        self.events = 0
        self.reloads = 0
        self.revision = 0

    async def run(self) -> None:
        """Watch until cancelled."""
        filters = tuple(WatchFilter(kind) for kind in WATCHED)
        while True:
            try:
                async with self._api.watch(self._query(filters)) as batches:
                    async for batch in batches:
                        self.checker.feed(batch)
                        self.revision = batch.revision or self.revision
            except ExpiredError:
                self._renew()
            except RollplaneError:
                if self.revision == 0:
                    self._renew()
                await asyncio.sleep(0.1)

    def _query(self, filters: tuple[WatchFilter, ...]) -> WatchQuery:
        return WatchQuery(filters, self.revision, send_initial_state=self.revision == 0)

    def _renew(self) -> None:
        self.revision = 0
        self.found += [str(violation) for violation in self.checker.violations]
        self.events += self.checker.events
        self.checker = InvariantChecker()
        self.reloads += 1

    def at_rest(self) -> list[str]:
        """Return all that was broken; to be called when all is at rest."""
        return [*self.found, *(str(violation) for violation in self.checker.check_at_rest())]


async def come_to_rest(client: Client) -> list[str]:
    """Wait until every workload has just the pods it wants; return what is wrong when that does not come about."""
    wrong = ["nobody looked"]
    try:
        async with asyncio.timeout(REST_SECONDS):
            while wrong:
                await asyncio.sleep(0.5)
                try:
                    await _take_up(client)
                    wrong = await unrest(client)
                except RollplaneError as exc:
                    wrong = [str(exc)]
    except TimeoutError:
        return wrong
    return []


async def _take_up(client: Client) -> None:
    """Run a rolling update again that stopped, as a user does: its patience may have ended while the store was old."""
    for one in await client.list(ReplicationController, NAMESPACE):
        if '"error":"' in one.metadata.annotations.get(STATE, ""):
            old = Key(REPLICATION_CONTROLLER, NAMESPACE, CONTROLLER)
            image = one.spec.template.spec.containers[0].image
            await client.api.start_rolling_update(StartRollingUpdate(old, image=image, pace=PACE))


async def unrest(client: Client) -> list[str]:
    """Return what does not stand as declared, by the pods that live."""
    pods = await client.list(Pod, NAMESPACE)
    live = [pod for pod in pods if not is_being_deleted(pod.metadata)]
    wrong = [f"pod {pod.metadata.name} is going" for pod in pods if is_being_deleted(pod.metadata)]
    wrong += [f"pod {pod.metadata.name} is not ready" for pod in live if not _is_ready(pod)]
    for name, wanted in (await _wanted(client)).items():
        have = [pod for pod in live if pod.metadata.labels["app"] == name]
        if len(have) != wanted:
            wrong.append(f"{name} has {len(have)} live pods, {wanted} are wanted")
        if len({pod.spec.containers[0].image for pod in have}) > 1:
            wrong.append(f"{name} runs more than one version")
    sets = await client.list(ReplicaSet, NAMESPACE)
    wrong += [f"ReplicaSet {one.metadata.name} is settling" for one in sets if one.status.replicas != one.spec.replicas]
    return wrong


async def _wanted(client: Client) -> dict[str, int]:
    wanted = {one.metadata.name: one.spec.replicas for one in await client.list(Deployment, NAMESPACE)}
    wanted[STATEFUL_SET] = STATEFUL_REPLICAS
    wanted[DAEMON_SET] = len(await client.list(Node))
    controllers = await client.list(ReplicationController, NAMESPACE)
    wanted[CONTROLLER] = CONTROLLER_REPLICAS if len(controllers) == 1 else -len(controllers)  # an update is in flight
    return wanted


def _is_ready(pod: Pod) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)
