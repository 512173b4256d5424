"""The rollover load test: many Deployments created, updated, and updated again while the first update is in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Namespace
from rollplane_load.progress import RolloutWatcher
from rollplane_load.timing import percentile
from rollplane_load.usage import Usage, spent, usage_of
from rollplane_machinery.api import Api, Create, Delete, Key, SetImage
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    InternalError,
    NotFoundError,
    RollplaneError,
    TimedOutError,
)
from rollplane_machinery.kinds import DEPLOYMENT, NAMESPACE, Encoded

CONTAINER = "app"
IN_FLIGHT = 64
"""Calls to SetImage under way at once."""
BATCH = 200
CLEAN_UP_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Load:
    """``deployments`` of ``replicas`` pods each; v3 is set when ``overlap`` (0 to 1) of all v2 pods are available.

    ``namespace`` is made for the run and deleted with all that is in it; empty lets the server make a name up.
    """

    deployments: int = 100
    replicas: int = 10
    overlap: float = 0.3
    namespace: str = ""
    timeout_seconds: float = 600.0

    def __post_init__(self) -> None:
        if self.deployments < 1 or self.replicas < 1 or not 0 <= self.overlap <= 1:
            raise ValueError("want at least one deployment of at least one replica, and an overlap from 0 to 1")

    @property
    def pods(self) -> int:
        return self.deployments * self.replicas


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to. Seconds are wall time; percentiles are over rollouts, and over the client's own writes."""

    deployments: int
    replicas: int
    overlap: float
    create_seconds: float
    rollover_seconds: float
    pods_per_second: float
    rollout_p50_seconds: float
    rollout_p99_seconds: float
    write_p50_seconds: float
    write_p99_seconds: float
    cpu_seconds: Mapping[str, float]
    peak_mib: Mapping[str, float]
    invariant_violations: Sequence[str]

    def as_json(self) -> dict[str, object]:
        """Return the report's stable JSON form."""
        return asdict(self)


class RolloverTest:
    """One run against ``api``; ``pids`` names the plane's processes, whose use is measured."""

    def __init__(self, api: Api, load: Load, *, clock: Clock, pids: Mapping[str, int]) -> None:
        self._api = api
        self._load = load
        self._clock = clock
        self._pids = pids
        self._namespace = load.namespace
        self._writes: list[float] = []
        self._rollouts: list[float] = []

    async def run(self) -> Report:
        """Run the test and clean up after it.

        Raises TimedOutError when a phase does not complete in its time, BadRequestError for a namespace that is there
        already: what is in it is somebody's.
        """
        self._namespace = await self._make_namespace()
        try:
            return await self._watched()
        finally:
            await self._clean_up()

    async def _watched(self) -> Report:
        self._watcher = RolloutWatcher(self._api, self._namespace, clock=self._clock)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watcher.run())
            try:
                await self._watcher.synced.wait()
                return await self._measure()
            finally:
                watching.cancel()

    async def _measure(self) -> Report:
        before = self._usage()
        create_seconds = await self._create()
        rollover_seconds = await self._roll_over()
        used = spent(before, self._usage())
        load = self._load
        return Report(
            load.deployments,
            load.replicas,
            load.overlap,
            round(create_seconds, 3),
            round(rollover_seconds, 3),
            round(load.pods / create_seconds, 1) if create_seconds else 0.0,  # in virtual time it may take none
            round(percentile(self._rollouts, 0.5), 3),
            round(percentile(self._rollouts, 0.99), 3),
            round(percentile(self._writes, 0.5), 4),
            round(percentile(self._writes, 0.99), 4),
            {name: usage.cpu_seconds for name, usage in used.items()},
            {name: usage.peak_mib for name, usage in used.items()},
            [str(violation) for violation in self._watcher.checker.check_at_rest()],
        )

    async def _create(self) -> float:
        """Create all Deployments at v1; return the seconds until every pod is available."""
        started = self._clock.monotonic()
        creates = [Create(Encoded.of(self._deployment(number))) for number in range(self._load.deployments)]
        for start in range(0, len(creates), BATCH):
            for answer in await self._api.batch(creates[start : start + BATCH]):
                if isinstance(answer, RollplaneError):
                    raise answer
        await self._completion("app:v1")
        return self._clock.monotonic() - started

    async def _roll_over(self) -> float:
        """Set v2 on all, and v3 while v2 is in flight; return the seconds until v3 is complete everywhere."""
        started = self._clock.monotonic()
        await self._set_image("app:v2")
        wanted = self._load.overlap * self._load.pods
        await self._wait(lambda: self._watcher.available("app:v2") >= wanted, "v2 does not come up")
        self._watcher.restart_clock()
        begun = self._clock.monotonic()
        await self._set_image("app:v3")
        await self._completion("app:v3")
        self._rollouts = [at - begun for at in self._watcher.completed_at.values()]
        return self._clock.monotonic() - started

    async def _completion(self, image: str) -> None:
        await self._wait(lambda: self._watcher.complete(image, self._load.deployments), f"{image} is not complete")

    async def _wait(self, holds: Callable[[], bool], otherwise: str) -> None:
        if not await self._watcher.until(holds, self._load.timeout_seconds):
            raise TimedOutError(f"{otherwise} after {self._load.timeout_seconds:g} s")

    async def _set_image(self, image: str) -> None:
        """Set the image of every Deployment, IN_FLIGHT calls at a time, each timed."""
        numbers = iter(range(self._load.deployments))

        async def worker() -> None:
            for number in numbers:
                key = Key(DEPLOYMENT, self._namespace, self._name(number))
                started = self._clock.monotonic()
                await self._api.set_image(SetImage(key, {CONTAINER: image}))
                self._writes.append(self._clock.monotonic() - started)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(IN_FLIGHT, self._load.deployments)):
                tasks.create_task(worker())

    async def _make_namespace(self) -> str:
        namespace = Namespace()
        metadata = namespace.metadata
        metadata.name, metadata.generate_name = self._namespace, "" if self._namespace else "load-"
        try:
            made = await self._api.write(Create(Encoded.of(namespace)))
        except AlreadyExistsError:
            raise BadRequestError(
                f'namespace "{metadata.name}" is there already, and a load test works only in one that it has made: '
                "name another, or none"
            ) from None
        if made.object is None:
            raise InternalError("the answer to a write holds no object")
        return Namespace.FromString(made.object.value).metadata.name

    async def _clean_up(self) -> None:
        """Delete the namespace with all that is in it, and wait until it has gone."""
        key = Key(NAMESPACE, "", self._namespace)
        await self._api.write(Delete(key))
        deadline = self._clock.monotonic() + CLEAN_UP_SECONDS
        while await self._is_there(key):
            if self._clock.monotonic() > deadline:
                raise TimedOutError(f'namespace "{self._namespace}" has not gone after {CLEAN_UP_SECONDS:g} s')
            await self._clock.sleep(LOOK_SECONDS)

    async def _is_there(self, key: Key) -> bool:
        try:
            await self._api.get(key)
        except NotFoundError:
            return False
        return True

    def _name(self, number: int) -> str:
        return f"load-{number:04}"

    def _deployment(self, number: int) -> Deployment:
        deployment = Deployment()
        name = deployment.metadata.name = self._name(number)
        deployment.metadata.namespace = self._namespace
        deployment.spec.replicas = self._load.replicas
        deployment.spec.selector.match_labels["app"] = name
        deployment.spec.template.metadata.labels["app"] = name
        deployment.spec.template.spec.containers.add(name=CONTAINER, image="app:v1")
        return deployment

    def _usage(self) -> dict[str, Usage | None]:
        return {name: usage_of(pid) for name, pid in self._pids.items()}
