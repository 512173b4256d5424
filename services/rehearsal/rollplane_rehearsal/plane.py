"""A whole control plane in one process, one loop and virtual time: core on a store in memory, controllers, kubelets.

The parts are those of the processes, unchanged; what is left out is gRPC, sockets, threads and the wall clock. All
chance comes from one seed: same seed, same inputs, same event log, byte for byte.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from inspect import isawaitable
from random import Random
from types import TracebackType
from typing import Any, Self

from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.core.session import Session
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.backoff import Backoff
from rollplane_client.customs import read_all
from rollplane_client.objects import Client
from rollplane_client.retry import Retrier, RetryPolicy
from rollplane_client.tokens import Tokens
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import Fleet
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import Api, Key, ObjectApi, RolloutStatus
from rollplane_machinery.invariants.checker import Violation
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.releases import LATEST, Release, release_of
from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_rehearsal.event_log import EventLog
from rollplane_rehearsal.faults.controllers import Controllers
from rollplane_rehearsal.faults.faults import Faults
from rollplane_rehearsal.faults.network import FaultyApi, Rates
from rollplane_rehearsal.faults.repeating import RepeatingApi
from rollplane_rehearsal.faults.troubles import TroubledApi, Troubles
from rollplane_rehearsal.manifests import Manifests, read
from rollplane_rehearsal.nodes import Nodes, fleet_of
from rollplane_rehearsal.promises import Promises
from rollplane_rehearsal.rollouts import RolloutLooks
from rollplane_rehearsal.virtual_time import LoopClock, virtual_loop

PATIENCE_SECONDS = 3600.0
"""How long, in virtual time, something is waited for unless a call says otherwise."""
LOOK_SECONDS = 1.0
"""How often a condition is asked at least: what it depends on may be the time."""

Condition = Callable[[], bool | Awaitable[bool]]


class Plane:
    """One plane: ``async with Plane(nodes=30, seed=7) as plane``, in a loop in virtual time (``run``).

    ``nodes`` is a number, pools, a file of them, or Node objects (``nodes.py``). ``profile`` is what pods live by: the
    name of a shipped one, or a Profile; None has no nodes and no kubelets: what they do is done by hand.
    ``controllers`` counts managers. ``node_times`` None are those of the release. A ``checked`` plane judges every
    change by the invariants of all rollouts (``violations``). ``log_entries`` bounds what the log keeps, for a plane
    that lives long. After ``idle_seconds`` without news a watch says so: here nobody doubts that we are alive.

    Raises RuntimeError when it is entered in a loop of real time, NotFoundError for a profile that is not shipped,
    BadRequestError for a release that is not known, and InvalidError for nodes that do not go together.
    """

    def __init__(
        self,
        nodes: Nodes = 3,
        *,
        profile: str | Profile | None = "instant",
        seed: int = 0,
        release: str | Release = LATEST,
        controllers: int = 1,
        node_times: NodeTimes | None = None,
        checked: bool = True,
        log_entries: int | None = None,
        idle_seconds: float = math.inf,
    ) -> None:
        self.seed = seed
        self._dice: list[tuple[str, Random]] = []
        self._throws = 0
        self.release = release_of(release) if isinstance(release, str) else release
        self.clock = LoopClock()
        self.log = EventLog(self.clock.monotonic, log_entries)
        self.store = MemoryStore(idle_seconds=math.inf, observe=self.log.note)
        self._nodes = fleet_of(nodes, self.release)
        self._profile = shipped_profile(profile) if isinstance(profile, str) else profile
        self._wanted_controllers = controllers
        self._idle_seconds = idle_seconds
        self._node_times = node_times
        self.troubles = Troubles()
        self._rollouts = RolloutLooks(self.log)
        self._promises = Promises(self.log) if checked else None
        self._running = AsyncExitStack()
        self.core: Core
        self.api: Api
        self.client: Client
        self.controllers: Controllers
        self.fleet: Fleet | None = None
        self.faults: Faults

    # Its life.

    async def __aenter__(self) -> Self:
        virtual_loop()
        async with AsyncExitStack() as stack:
            settings = CoreSettings(release=self.release, idle_seconds=self._idle_seconds)
            core = Core(self.store, self.clock, settings=settings, randomness=self.dice("core"))
            self.core = await stack.enter_async_context(core)
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            self.api = self.as_identity("admin", Role.ADMIN)
            self.client = Client(self.api)
            self.controllers = Controllers(self._manager, self._tasks)
            self.faults = Faults(self, self._profile)
            await self._start(stack)
            self._running = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            await self._running.__aexit__(kind, error, trace)
        else:
            await self._running.aclose()  # an error of the caller's is its own: a task group would wrap it

    async def _start(self, stack: AsyncExitStack) -> None:
        stack.callback(self.controllers.end)
        if self._profile is not None:
            self.fleet = self._living(self._profile)
            stack.callback(self._tasks.create_task(self.fleet.run()).cancel)
        for _ in range(self._wanted_controllers):
            await self.controllers.start()
        if self.fleet is not None:
            await self.fleet.ready.wait()

    def _manager(self, name: str) -> tuple[Manager, FaultyApi]:
        api, network = self.network(name, Role.CONTROLLER)
        manager = Manager(
            api,
            name,
            clock=self.clock,
            random=self.dice(name),
            release=self.release,
            node_times=self._node_times,
            spread=1,  # to hold the leases of all sixty-seven shards would be most of an idle plane's work
            tokens=Tokens(name),
        )
        return manager, network

    def _living(self, profile: Profile) -> Fleet:
        api, _ = self.network("fleet", Role.NODE)
        return Fleet(api, self._nodes, self.seeded(profile), clock=self.clock, tokens=Tokens("fleet"))

    def seeded(self, profile: Profile) -> Profile:
        """Return ``profile`` as this plane lives by it: its seed is added to that of the plane."""
        return replace(profile, seed=profile.seed + self.seed)

    # Who may ask.

    def dice(self, name: str) -> Random:
        """Return the source of chance of one part of the plane: what one draws changes nothing for another."""
        dice = Random(f"{self.seed}/{name}")
        self._dice.append((name, dice))
        return dice

    def throw_anew(self, seed: int) -> None:
        """Let chance be that of ``seed`` from now on; what was drawn before stays, and is not drawn again."""
        self.seed = seed
        self._throws += 1
        for name, dice in self._dice:
            dice.seed(f"{seed}/{name}/{self._throws}")
        self.faults.live_by_seed()

    def as_identity(self, name: str, role: Role = Role.EDITOR) -> Session:
        """Return the Api as somebody of that name and role may use it."""
        return self.core.as_identity(Identity(name, role))

    def troubled(self, name: str = "client", role: Role = Role.EDITOR) -> TroubledApi:
        """Return the Api as ``as_identity`` does, for somebody whom the ``troubles`` of this plane befall."""
        return self.troubles.around(self.as_identity(name, role), self.clock)

    def network(self, name: str, role: Role) -> tuple[ObjectApi, FaultyApi]:
        """Return an Api as a process of that name has it, and the network of its own, which can break."""
        dice = self.dice(f"{name}/network")
        network = FaultyApi(self.as_identity(name, role), dice, self._tasks, Rates())
        network.broken = False
        retrier = Retrier(RetryPolicy(Backoff(spread=0.0)), self.clock, dice.random)
        return RepeatingApi(network, retrier, Tokens(f"{name}/calls")), network

    # What is done to it.

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let ``work`` go on beside whatever else is done; whoever asks ends it, and its errors end the plane."""
        return self._tasks.create_task(work)

    async def apply(self, *manifests: Manifests, namespace: str = "default") -> Sequence[ApiObject]:
        """Apply manifests as ``kubectl apply`` does and return the objects as stored.

        Each is YAML or JSON text, the Path of a file or folder, a parsed document, or a message. Objects that name no
        namespace go to ``namespace``; kinds may be custom, if these manifests or earlier ones define them. Raises
        ManifestError with all that cannot be read before anything is written, OSError for a path that is not there,
        and whatever refuses an object; those before it stay.
        """
        customs = (await read_all(self.api)).by_type
        return [await self.client.apply_manifest(manifest) for manifest in read(manifests, namespace, customs)]

    # Time.

    @property
    def seconds(self) -> float:
        """The time, in seconds since the loop began."""
        return self.clock.monotonic()

    async def advance(self, seconds: float) -> None:
        """Let time pass, with all that happens in it."""
        await asyncio.sleep(seconds)

    async def until(
        self,
        holds: Condition,
        seconds: float = PATIENCE_SECONDS,
        otherwise: str = "what was waited for never came",
    ) -> float:
        """Let time pass until ``holds``, asked after changes and each second; return how long it took.

        Raises TimeoutError with the sentence ``otherwise`` when it did not within ``seconds``.
        """
        started = self.seconds
        while not await _value(holds()):
            left = started + seconds - self.seconds
            if left <= 0:
                raise TimeoutError(f"{otherwise} (within {seconds:g} s)")
            await self.log.moved(min(LOOK_SECONDS, left))
        return self.seconds - started

    @property
    def rollouts(self) -> Mapping[Key, RolloutStatus]:
        """How far each workload's rollout is, as ``rollout status`` tells it."""
        return self._rollouts.looks

    async def until_rolled_out(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Let time pass until every rollout is done; return how long it took. Raises TimeoutError naming the others."""
        try:
            return await self.until(lambda: not self._rollouts.unfinished(), seconds)
        except TimeoutError:
            told = "; ".join(look.message for look in self._rollouts.unfinished())
            raise TimeoutError(f"{told} (within {seconds:g} s)") from None

    def is_at_rest(self, within_seconds: float = 0.5) -> bool:
        """Tell whether controllers have done everything and nothing is due soon, and no pod is going to take a step."""
        revision = self.core.revision
        kubelets = self.fleet is None or (self.fleet.next_step is None and not self.fleet.pending)
        return kubelets and self.controllers.is_quiet(revision, within_seconds)

    async def at_rest(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Let time pass until the plane is at rest; return how long it took. Raises TimeoutError when it never is."""
        return await self.until(self.is_at_rest, seconds, "the plane never rests")

    # What is promised.

    @property
    def violations(self) -> Sequence[Violation]:
        """What broke an invariant of all rollouts so far; always empty of a plane that is not checked."""
        return self._promises.violations if self._promises is not None else ()

    async def check_at_rest(self, seconds: float = 30.0) -> Sequence[Violation]:
        """Let time pass in which nothing may be written, and return all violations, dangling owners included."""
        if self._promises is None:
            return ()
        with self._promises.at_rest():
            await self.advance(seconds)
        return self._promises.violations


async def _value(answer: bool | Awaitable[bool]) -> bool:
    return await answer if isawaitable(answer) else bool(answer)
