"""One seed's story: workloads of a kind roll over while everything between their controllers and the server breaks.

A whole plane in one process and in virtual time. The same seed is the same story.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.backoff import Backoff
from rollplane_client.objects import Client
from rollplane_client.retry import Retrier, RetryPolicy
from rollplane_client.tokens import Tokens
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import ObjectApi, WatchFilter, WatchQuery
from rollplane_machinery.codec import from_json
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from tests.end_to_end.virtual_time import LoopClock, in_virtual_time
from tests.faults.faulty_api import FaultyApi, Rates
from tests.faults.repeating import RepeatingApi

NAMESPACE = "default"
NODES = 3
REST_SECONDS = 600.0
"""Virtual seconds after which a plane on which nothing breaks any more must be at rest."""

Rolled = Deployment | StatefulSet | DaemonSet
KINDS: dict[str, type[Rolled]] = {"Deployment": Deployment, "StatefulSet": StatefulSet, "DaemonSet": DaemonSet}


@dataclass
class Told:
    """What came of one seed."""

    seed: int
    faults: Counter[str]
    events: int
    problems: list[str]


class Story:
    """A plane whose controllers and kubelets are reached through FaultyApis; ``client`` is a user's, unharmed."""

    def __init__(self, core: Core, dice: Random, tasks: asyncio.TaskGroup) -> None:
        self.core = core
        self.dice = dice
        self.clock = LoopClock()
        self.checker = InvariantChecker()
        self._faulty: list[FaultyApi] = []
        self._tasks = tasks
        self.client = Client(core.as_identity(Identity("user", Role.ADMIN)))
        self.fleet = Fleet(
            self.api("fleet", Role.NODE), FleetSettings(nodes=NODES), Profile("instant"), clock=self.clock
        )
        self.manager = Manager(
            self.api("manager", Role.CONTROLLER), "manager-0", clock=self.clock, random=Random(dice.random())
        )

    def api(self, name: str, role: Role) -> ObjectApi:
        """Return an Api as a process of that name has it, on a network of its own that breaks."""
        dice = Random(self.dice.random())
        faulty = FaultyApi(self.core.as_identity(Identity(name, role)), dice, self._tasks, Rates())
        self._faulty.append(faulty)
        retrier = Retrier(RetryPolicy(Backoff(spread=0.0)), self.clock, dice.random)
        return RepeatingApi(faulty, retrier, Tokens(f"{name}-calls"))

    @property
    def faults(self) -> Counter[str]:
        return sum((one.counts for one in self._faulty), Counter())

    def mend(self) -> None:
        """Let nothing break any more."""
        for one in self._faulty:
            one.broken = False

    async def watch(self) -> None:
        """Feed the checker with every change."""
        query = WatchQuery(tuple(WatchFilter(kind) for kind in WATCHED), send_initial_state=True)
        async with self.client.api.watch(query) as batches:
            async for batch in batches:
                self.checker.feed(batch)

    async def at_rest(self, kind: type[Rolled], name: str) -> str:
        """Wait until the workload has exactly its pods; return what is wrong when it never has."""
        wrong = "nothing was seen"
        for _ in range(int(REST_SECONDS)):
            await asyncio.sleep(1.0)
            wrong = _difference(await self.client.get(kind, NAMESPACE, name), await self.client.list(Pod, NAMESPACE))
            if not wrong and self.manager.is_quiet(self.core.revision):
                return ""
        return f"{kind.__name__} {name}: {wrong or 'its controllers never rest'}"


def tell(seed: int) -> Told:
    """Tell the story of ``seed``."""
    return in_virtual_time(lambda: _tell(seed))


def tell_quietly(seed: int) -> Told:
    """Tell the story of ``seed`` in a process of its own, without what is logged of every fault."""
    logging.disable(logging.CRITICAL)
    return tell(seed)


async def _tell(seed: int) -> Told:
    dice = Random(seed)
    kind = dice.choice([*KINDS.values()])
    names = ["one", "two"]
    async with _plane(dice) as story:
        for name in names:
            await story.client.create(from_json(_manifest(dice, kind, name)))
        for version in range(dice.randint(2, 4)):
            await asyncio.sleep(dice.choice([0.0, 0.05, 0.5, 5.0]))
            for name in names:
                await _roll(story, kind, name, version)
        await asyncio.sleep(dice.choice([0.0, 1.0, 20.0]))
        story.mend()
        problems = [wrong for name in names if (wrong := await story.at_rest(kind, name))]
        problems += map(str, story.checker.check_at_rest())
    return Told(seed, story.faults, story.checker.events, problems)


async def _roll(story: Story, kind: type[Rolled], name: str, version: int) -> None:
    if kind is not DaemonSet and story.dice.random() < 0.3:
        await story.client.scale(kind, NAMESPACE, name, story.dice.randint(1, 6))
    await story.client.set_image(kind, NAMESPACE, name, {"app": f"app:v{version + 1}"})


@asynccontextmanager
async def _plane(dice: Random) -> AsyncIterator[Story]:
    clock = LoopClock()
    async with Core(MemoryStore(), clock, randomness=Random(dice.random())) as core, asyncio.TaskGroup() as tasks:
        story = Story(core, dice, tasks)
        running = [tasks.create_task(work) for work in (story.watch(), story.fleet.run(), story.manager.run())]
        await story.manager.ready()
        await story.fleet.ready.wait()
        yield story
        story.mend()
        for task in running:
            task.cancel()


def _manifest(dice: Random, kind: type[Rolled], name: str) -> dict[str, Any]:
    sized: dict[str, Any] = {} if kind is DaemonSet else {"replicas": dice.randint(1, 5)}
    if kind is StatefulSet:
        sized["podManagementPolicy"] = dice.choice(["OrderedReady", "Parallel"])
    if kind is Deployment and dice.random() < 0.2:
        sized["strategy"] = {"type": "Recreate"}
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "app", "image": "app:v0"}], "terminationGracePeriodSeconds": 1},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": kind.__name__,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, **sized},
    }


def _difference(workload: Rolled, pods: list[Pod]) -> str:
    """Say how the pods differ from what the workload wants; "" when they do not."""
    wanted = NODES if isinstance(workload, DaemonSet) else workload.spec.replicas
    image = workload.spec.template.spec.containers[0].image
    mine = [pod for pod in pods if pod.metadata.labels["app"] == workload.metadata.name]
    images = [pod.spec.containers[0].image for pod in mine]
    if images != [image] * wanted:
        return f"{wanted} pods of {image} are wanted, there are {images}"
    if workload.status.observed_generation < workload.metadata.generation:
        return "its status is behind"
    unready = [pod.metadata.name for pod in mine if pod.status.phase != "Running"]
    return f"{unready} do not run" if unready else ""
