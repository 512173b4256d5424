"""A control plane in one loop and in virtual time: core, any number of managers, and Apis that misbehave on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from rollplane.core.v1 import Event, Namespace, Node, Pod, PodCondition
from rollplane.meta.v1 import Time
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_controller.fencing import FenceAwareApi
from rollplane_controller.manager import Manager
from rollplane_controller.metrics import Metrics
from rollplane_controller.reconcile.event_expiry import DEFAULT_EVENT_LIMITS, EventLimits
from rollplane_machinery.api import (
    Api,
    Create,
    Delete,
    Key,
    ListQuery,
    ObjectApi,
    Page,
    Preconditions,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import NotAttemptedError, NotFoundError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import EVENT, POD, ApiObject, Encoded, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, Release
from tests.planners.pods import a_node

TICK_SECONDS = 0.1
TURNS = 25
"""How often the loop goes round before time moves on."""
PATIENCE_SECONDS = 60.0


class PlainApi(FenceAwareApi):
    """Another Api, unchanged; the others override what they spoil."""

    def __init__(self, api: ObjectApi) -> None:
        super().__init__(api, lambda _fence: None)


class LossyApi(PlainApi):
    """Commits batches and loses the answers of those that ``loses`` picks, as often as ``losses`` says."""

    def __init__(self, api: ObjectApi, loses: Callable[[Write], bool], losses: int) -> None:
        super().__init__(api)
        self._loses = loses
        self.losses = losses

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        answers = await super().batch(writes)
        if self.losses and any(self._loses(write) for write in writes):
            self.losses -= 1
            raise UnavailableError("the answer was lost", outcome=Outcome.OUTCOME_UNKNOWN)
        return answers


class RefusingApi(PlainApi):
    """Refuses the writes that ``error`` names an error for, and what follows in their groups; counts them."""

    def __init__(self, api: ObjectApi, error: Callable[[Write], RollplaneError | None]) -> None:
        super().__init__(api)
        self.error = error
        self.refused = 0

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        for write in writes:
            if (error := self.error(write)) is not None:
                self.refused += 1
                return await self._but_one(writes, write, error)
        return await super().batch(writes)

    async def _but_one(
        self, writes: Sequence[Write], refused: Write, error: RollplaneError
    ) -> Sequence[WriteResult | RollplaneError]:
        behind = writes[writes.index(refused) :]
        left_out = [one for one in behind if one.group and one.group == refused.group]
        answers: list[WriteResult | RollplaneError] = []
        for one in writes:
            is_left_out = any(one is other for other in left_out)
            not_attempted = error if one is refused else NotAttemptedError("an earlier write of its group was refused")
            answers.append(not_attempted if one is refused or is_left_out else await self._alone(one))
        return answers

    async def _alone(self, write: Write) -> WriteResult | RollplaneError:
        (answer,) = await self.batch([write])
        return answer


class LaggingApi(PlainApi):
    """Shows nothing in its watches from the first write on that ``from_write`` picks until ``flowing`` is set."""

    def __init__(self, api: ObjectApi, from_write: Callable[[Write], bool]) -> None:
        super().__init__(api)
        self._from_write = from_write
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.written: list[Write] = []

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        if any(map(self._from_write, writes)) and not any(map(self._from_write, self.written)):
            self.flowing.clear()
        self.written.extend(writes)
        return await super().batch(writes)

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._slow(super().watch(query))

    @asynccontextmanager
    async def _slow(
        self, opened: AbstractAsyncContextManager[AsyncIterator[WatchBatch]]
    ) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async def held(batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
            async for batch in batches:
                await self.flowing.wait()
                yield batch

        async with opened as batches:
            yield held(batches)


class MortalApi(PlainApi):
    """Reaches nobody any more once ``dead``: whoever used it died, for all that others can tell."""

    def __init__(self, api: ObjectApi) -> None:
        super().__init__(api)
        self.dead = False

    async def list(self, query: ListQuery) -> Page:
        self._check()
        return await super().list(query)

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        self._check()
        return await super().batch(writes)

    def _check(self) -> None:
        if self.dead:
            raise UnavailableError("dead", outcome=Outcome.NOT_SENT)


def unchanged(api: ObjectApi) -> ObjectApi:
    return api


@dataclass
class Plane:
    """The running plane; ``user`` is an editor's Api, ``kubelet`` a node's."""

    core: Core
    clock: FakeClock
    tasks: asyncio.TaskGroup
    release: Release = LATEST
    managers: dict[str, Manager] = field(default_factory=dict)
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.user: Api = self.core.as_identity(Identity("user", Role.EDITOR))
        self.kubelet: Api = self.core.as_identity(Identity("kubelet", Role.NODE))

    def api(self) -> ObjectApi:
        """Return a controller's Api."""
        return self.core.as_identity(Identity("controller", Role.CONTROLLER))

    async def start(
        self,
        name: str = "first",
        wrap: Callable[[ObjectApi], ObjectApi] = unchanged,
        metrics: Metrics | None = None,
        event_limits: EventLimits = DEFAULT_EVENT_LIMITS,
        controller_qps: float = 0.0,
    ) -> Manager:
        """Start a manager and wait until it has had its first look."""
        manager = Manager(
            wrap(self.api()),
            name,
            clock=self.clock,
            random=Random(name),
            release=self.release,
            metrics=metrics,
            event_limits=event_limits,
            controller_qps=controller_qps,
        )
        self.managers[name] = manager
        self.running[name] = self.tasks.create_task(manager.run())
        await self.until(lambda: manager.shards.looked.is_set(), "the manager never looked")
        return manager

    async def stop(self, name: str) -> None:
        task = self.running.pop(name)
        del self.managers[name]
        task.cancel()
        await self.until(task.done, "the manager never ended")

    # Time.

    async def turn(self) -> None:
        """Let everything run that can without time passing."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def until(self, holds: Callable[[], bool], otherwise: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Let time pass until ``holds()``; raises AssertionError after ``seconds`` of it."""
        end = self.clock.now() + seconds
        while not holds():
            assert self.clock.now() < end, otherwise
            await self.turn()
            await self.clock.advance(TICK_SECONDS)

    async def pass_time(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        await self.until(lambda: self.clock.now() >= end, "", seconds + 1)
        await self.turn()

    async def quiet(self) -> None:
        """Wait until all controllers have seen and done everything."""

        def is_quiet() -> bool:
            return all(one.is_quiet(self.core.revision, TICK_SECONDS) for one in self.managers.values())

        await self.turn()
        await self.until(is_quiet, "the controllers never rest")
        await self.pass_time(2 * TICK_SECONDS)
        await self.until(is_quiet, "the controllers never rest")

    # Objects.

    async def create(self, message: ApiObject) -> None:
        await self.user.write(Create(Encoded.of(message)))

    async def update(self, message: ApiObject) -> None:
        await self.user.write(Update(Encoded.of(message)))

    async def namespace(self, name: str) -> None:
        namespace = Namespace()
        namespace.metadata.name = name
        await self.create(namespace)

    async def nodes(self, count: int) -> None:
        for number in range(count):
            await self.node(a_node(f"n{number}"))

    async def node(self, node: Node) -> None:
        await self.create(node)

    async def delete(self, kind: Kind, name: str, namespace: str = "shop", **options: object) -> None:
        key = Key(kind, namespace if kind.namespaced else "", name)
        await self.user.write(Delete(key, **options))  # type: ignore[arg-type]

    async def find(self, kind: Kind, name: str, namespace: str = "shop") -> ApiObject | None:
        try:
            return (await self.user.get(Key(kind, namespace if kind.namespaced else "", name))).parse()
        except NotFoundError:
            return None

    async def all(self, kind: Kind, namespace: str = "shop") -> list[ApiObject]:
        page = await self.user.list(ListQuery(kind, namespace if kind.namespaced else ""))
        return [encoded.parse() for encoded in page.objects]

    async def pods(self, namespace: str = "shop") -> list[Pod]:
        """Return the pods that are not being deleted."""
        found = [pod for pod in await self.all(POD, namespace) if isinstance(pod, Pod)]
        return [pod for pod in found if not is_being_deleted(pod.metadata)]

    async def events(self, reason: str = "") -> list[Event]:
        found = [event for event in await self.all(EVENT) if isinstance(event, Event)]
        return [event for event in found if reason in ("", event.reason)]

    # What kubelets do.

    async def set_ready(self, pods: Sequence[Pod], *, ready: bool = True) -> None:
        for pod in pods:
            pod.status.phase = "Running"
            kept = [condition for condition in pod.status.conditions if condition.type != "Ready"]
            del pod.status.conditions[:]
            time = Time(seconds=int(self.clock.now()))
            condition = PodCondition(type="Ready", status="True" if ready else "False", last_transition_time=time)
            pod.status.conditions.extend([*kept, condition])
            await self.kubelet.write(UpdateStatus(Encoded.of(pod)))

    async def finish(self, namespace: str = "shop") -> None:
        """Confirm the end of every pod that is being deleted."""
        for pod in await self.all(POD, namespace):
            if is_being_deleted(pod.metadata):
                key = Key(POD, namespace, pod.metadata.name)
                await self.kubelet.write(Delete(key, 0, preconditions=Preconditions(uid=pod.metadata.uid)))


@asynccontextmanager
async def a_plane(
    *, nodes: int = 2, release: Release = LATEST, store: MemoryStore | None = None
) -> AsyncIterator[Plane]:
    """Run a plane without a manager, with a namespace ``shop`` and nodes n0, n1 and so on."""
    clock = FakeClock()
    # Idle watches tell of progress by the time of the loop, which is not ours: at once, then.
    settings = CoreSettings(progress_seconds=0.0, release=release, ignore_webhooks=True)
    async with (
        Core(store or MemoryStore(), clock, settings=settings, randomness=Random(7)) as core,
        asyncio.TaskGroup() as tasks,
    ):
        plane = Plane(core, clock, tasks, release)
        await plane.namespace("shop")
        await plane.nodes(nodes)
        yield plane
        for task in plane.running.values():
            task.cancel()


def creates_pods(write: Write) -> bool:
    return isinstance(write, Create) and write.object.kind is POD


def owners_of(message: ApiObject) -> list[str]:
    return [reference.name for reference in message.metadata.owner_references]


def names_of(messages: Sequence[ApiObject]) -> list[str]:
    return sorted(message.metadata.name for message in messages)
