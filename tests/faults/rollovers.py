"""One seed's story: workloads of a kind roll over while everything between their controllers and the server breaks.

A whole plane in one process and in virtual time. The same seed is the same story.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import Pod, ReplicationController
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
from rollplane_machinery.api import Key, ObjectApi, StartRollingUpdate, WatchFilter, WatchQuery
from rollplane_machinery.codec import from_json
from rollplane_machinery.errors import RollplaneError, TooManyRequestsError
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.kinds import REPLICATION_CONTROLLER
from rollplane_machinery.rolling_update import STATE, UpdatePace
from rollplane_rehearsal import run
from rollplane_rehearsal.faults.controllers import Controllers
from rollplane_rehearsal.faults.network import FaultyApi, Rates
from rollplane_rehearsal.faults.repeating import RepeatingApi
from rollplane_rehearsal.virtual_time import LoopClock
from tests.faults.managers import Troubles

NAMESPACE = "default"
NODES = 3
WORKLOADS = (1, 1, 1, 2)
"""How many there are in a story. One finds most of what there is to be found, in half the time."""
REST_SECONDS = 600.0
"""Virtual seconds after which a plane on which nothing breaks any more must be at rest."""
LOOK_SECONDS = 0.9
"""How often that is looked at: beside the beat of the leases, whose writes would else be on their way at each look."""

PACE = UpdatePace(update_period_seconds=0.2, poll_interval_seconds=0.1, timeout_seconds=120.0)
FULL_SECONDS = (0.5, 20.0)
"""How long the store is full."""

Declared = Deployment | StatefulSet | DaemonSet
Rolled = Declared | ReplicationController
KINDS: tuple[type[Rolled], ...] = (Deployment, StatefulSet, DaemonSet, ReplicationController)


@dataclass
class Told:
    """What came of one seed."""

    seed: int
    faults: Counter[str]
    events: int
    problems: list[str]


class Story:
    """A plane whose controllers and kubelets are reached through FaultyApis; ``client`` is a user's, unharmed."""

    def __init__(self, core: Core, store: MemoryStore, dice: Random, tasks: asyncio.TaskGroup) -> None:
        self.core = core
        self.dice = dice
        self.clock = LoopClock()
        self.checker = InvariantChecker()
        self.mended = False
        self._store = store
        self._faulty: list[FaultyApi] = []
        self._tasks = tasks
        self._full: Counter[str] = Counter()
        self.client = Client(core.as_identity(Identity("user", Role.ADMIN)))
        api, _ = self.network("fleet", Role.NODE)
        self.fleet = Fleet(api, FleetSettings(nodes=NODES), Profile("instant"), clock=self.clock)
        self.managers = Controllers(self._manager, tasks)
        self._troubled = Troubles(self.managers, Random(dice.random()))
        self._troubles: list[asyncio.Task[None]] = []

    def network(self, name: str, role: Role) -> tuple[ObjectApi, FaultyApi]:
        """Return an Api as a process of that name has it, and the network of its own, which breaks."""
        dice = Random(self.dice.random())
        faulty = FaultyApi(self.core.as_identity(Identity(name, role)), dice, self._tasks, Rates())
        faulty.broken = not self.mended
        self._faulty.append(faulty)
        retrier = Retrier(RetryPolicy(Backoff(spread=0.0)), self.clock, dice.random)
        return RepeatingApi(faulty, retrier, Tokens(f"{name}-calls")), faulty

    def _manager(self, name: str) -> tuple[Manager, FaultyApi]:
        api, network = self.network(name, Role.CONTROLLER)
        return Manager(api, name, clock=self.clock, random=Random(self.dice.random()), spread=1), network

    def trouble(self) -> None:
        """Let managers and the store come to harm from now on, until ``mend``."""
        self._troubles = [self._tasks.create_task(one) for one in (self._troubled.run(), self._fill())]

    async def _fill(self) -> None:
        """Let the store be full now and then."""
        dice = Random(self.dice.random())
        while True:
            await asyncio.sleep(dice.uniform(0.0, 60.0))
            self._full["store full"] += 1
            self._store.full = True
            await asyncio.sleep(dice.uniform(*FULL_SECONDS))
            self._store.full = False

    @property
    def faults(self) -> Counter[str]:
        return sum((one.counts for one in self._faulty), self._troubled.counts + self._full)

    async def mend(self) -> None:
        """Let nothing break any more."""
        self.mended = self._troubled.calm = True
        for one in self._faulty:
            one.broken = False
        if self._troubles:
            managers, filling = self._troubles
            await managers
            filling.cancel()
        self._store.full = False

    async def watch(self) -> None:
        """Feed the checker with every change."""
        query = WatchQuery(tuple(WatchFilter(kind) for kind in WATCHED), send_initial_state=True)
        async with self.client.api.watch(query) as batches:
            async for batch in batches:
                self.checker.feed(batch)

    async def at_rest(self, kind: type[Rolled], name: str) -> str:
        """Wait until the workload has exactly its pods; return what is wrong when it never has."""
        wrong = "its controllers never rest"
        for _ in range(int(REST_SECONDS / LOOK_SECONDS)):
            await asyncio.sleep(LOOK_SECONDS)
            # Asked first, because it costs nothing.
            if self.managers.is_quiet(self.core.revision) and not (wrong := await self._difference(kind, name)):
                return ""
        return f"{kind.__name__} {name}: {wrong}"

    async def _difference(self, kind: type[Rolled], name: str) -> str:
        pods = await self.client.list(Pod, NAMESPACE)
        if kind is not ReplicationController:
            return difference(await self.client.get(kind, NAMESPACE, name), name, pods)
        found = [
            one for one in await self.client.list(ReplicationController, NAMESPACE) if one.spec.selector["app"] == name
        ]
        if len(found) == 1 and STATE not in found[0].metadata.annotations:
            return difference(found[0], name, pods)
        for one in found:
            if '"error":"' in one.metadata.annotations.get(STATE, ""):  # its patience has ended: run it again
                await self.update(name, one.spec.template.spec.containers[0].image)
        return f"an update is in flight between {[one.metadata.name for one in found]}"

    async def update(self, name: str, image: str) -> None:
        """Start a rolling update of a ReplicationController, or go on with one; refused while another is at it."""
        try:
            await self.client.api.start_rolling_update(
                StartRollingUpdate(Key(REPLICATION_CONTROLLER, NAMESPACE, name), image=image, pace=PACE)
            )
        except RollplaneError as exc:
            self._full[f"update refused: {exc.reason}"] += 1


def tell(seed: int) -> Told:
    """Tell the story of ``seed``."""
    return run(_tell(seed))


def _prepare() -> None:
    """Make a process ready to tell many stories, without what is logged of every fault.

    What is imported outlives them all, and most of what a story makes dies young: collecting garbage as often as usual
    would take a tenth of the time.
    """
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def tell_all(seeds: Sequence[int], processes: int) -> Iterator[Told]:
    """Yield what came of each seed, as it ends, told by other processes."""
    # The order of a set of names is part of a story, and differs from process to process unless it is told.
    os.environ["PYTHONHASHSEED"] = "0"
    with multiprocessing.get_context("spawn").Pool(processes, _prepare) as pool:
        yield from pool.imap_unordered(tell, seeds)


async def _tell(seed: int) -> Told:
    dice = Random(seed)
    kind = dice.choice(KINDS)
    names = ["one", "two"][: dice.choice(WORKLOADS)]
    async with _plane(dice) as story:
        for name in names:
            await story.client.create(from_json(_manifest(dice, kind, name)))
        story.trouble()
        for version in range(dice.randint(2, 4)):
            await asyncio.sleep(dice.choice([0.0, 0.05, 0.5, 5.0]))
            for name in names:
                await _insist(partial(_roll, story, kind, name, version))
        await asyncio.sleep(dice.choice([0.0, 1.0, 20.0, 40.0]))
        await story.mend()
        problems = [wrong for name in names if (wrong := await story.at_rest(kind, name))]
        problems += map(str, story.checker.check_at_rest())
    return Told(seed, story.faults, story.checker.events, problems)


async def _roll(story: Story, kind: type[Rolled], name: str, version: int) -> None:
    image = f"app:v{version + 1}"
    if kind is ReplicationController:
        await story.update(name, image)
        return
    if kind is not DaemonSet and story.dice.random() < 0.3:
        await story.client.scale(kind, NAMESPACE, name, story.dice.randint(1, 6))
    await story.client.set_image(kind, NAMESPACE, name, {"app": image})


async def _insist(call: Callable[[], Awaitable[None]]) -> None:
    """Call until a full store has room."""
    while True:
        try:
            return await call()
        except TooManyRequestsError:
            await asyncio.sleep(0.5)


@asynccontextmanager
async def _plane(dice: Random) -> AsyncIterator[Story]:
    clock, store = LoopClock(), MemoryStore()
    async with Core(store, clock, randomness=Random(dice.random())) as core, asyncio.TaskGroup() as tasks:
        story = Story(core, store, dice, tasks)
        running = [tasks.create_task(work) for work in (story.watch(), story.fleet.run())]
        for _ in range(2):
            await story.managers.start()
        await story.fleet.ready.wait()
        yield story
        await story.mend()
        story.managers.end()
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
    legacy = kind is ReplicationController
    return {
        "apiVersion": "v1" if legacy else "apps/v1",
        "kind": kind.__name__,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "selector": {"app": name} if legacy else {"matchLabels": {"app": name}},
            "template": template,
            **sized,
        },
    }


def difference(workload: Rolled, name: str, pods: Sequence[Pod]) -> str:
    """Say how the pods differ from what the workload wants; "" when they do not."""
    wanted = NODES if isinstance(workload, DaemonSet) else workload.spec.replicas
    image = workload.spec.template.spec.containers[0].image
    mine = [pod for pod in pods if pod.metadata.labels["app"] == name]
    images = [pod.spec.containers[0].image for pod in mine]
    if images != [image] * wanted:
        return f"{wanted} pods of {image} are wanted, there are {images}"
    if workload.status.observed_generation < workload.metadata.generation:
        return "its status is behind"
    unready = [pod.metadata.name for pod in mine if pod.status.phase != "Running"]
    return f"{unready} do not run" if unready else ""
