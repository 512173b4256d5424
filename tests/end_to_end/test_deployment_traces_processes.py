"""The recorded Deployment rollouts, taken by a plane of real processes with kubelets that do what they are told.

All traces play at once, each in its own namespace, on one plane; each is a test of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Namespace, Pod
from rollplane_client.grpc_api import connect
from rollplane_machinery.api import Api, Create, Key, ListQuery, Patch, PatchType, SetImage, WatchFilter, WatchQuery
from rollplane_machinery.codec import from_json
from rollplane_machinery.invariants import WATCHED, InvariantChecker, Violation
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET, ApiObject, Encoded, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import RECORDED
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings
from tests.planners.traces import Json, load, normalised, snapshot, tolerate

TRACES = load("Deployment")
NODES = 6
STEP_SECONDS = 30.0
LOOK_SECONDS = 0.02
CANARIES = "canaries"
ORDER = "sim.rollplane.dev/do"


@dataclass(frozen=True, slots=True)
class Played:
    """What each trace came to (None, or what did not match), and what the invariant checker found meanwhile."""

    outcomes: Mapping[str, AssertionError | None]
    violations: Sequence[Violation]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return asyncio.run(_play_all(tmp_path_factory.mktemp("plane")))


@pytest.mark.parametrize("name", TRACES)
def test_plane_of_processes_follows_the_recorded_rollout(played: Played, name: str) -> None:
    outcome = played.outcomes[name]
    if outcome is not None:
        raise outcome


def test_no_invariant_is_broken_meanwhile(played: Played) -> None:
    assert played.violations == []


async def _play_all(data: Path) -> Played:
    settings = PlaneSettings(data, port=0, nodes=NODES, profile="manual", node_prefix="fake", kubernetes=RECORDED.name)
    checker = InvariantChecker()
    async with (
        EmbeddedPlane(settings) as plane,
        connect(plane.address, name="recorder") as api,
        asyncio.TaskGroup() as tasks,
    ):
        watching = tasks.create_task(_watch(api, checker))
        await api.write(Create(Encoded.of(_namespace(CANARIES))))
        outcomes = await asyncio.gather(*(_play(api, name) for name in TRACES))
        watching.cancel()
    assert checker.events > len(TRACES)
    return Played(dict(zip(TRACES, outcomes, strict=True)), checker.check_at_rest())


async def _watch(api: Api, checker: InvariantChecker) -> None:
    query = WatchQuery(tuple(WatchFilter(kind) for kind in WATCHED), send_initial_state=True)
    async with api.watch(query) as batches:
        async for batch in batches:
            checker.feed(batch)


async def _play(api: Api, name: str) -> AssertionError | None:
    recording = _Recording(api, name, TRACES[name]["manifest"])
    try:
        for step, recorded in enumerate(TRACES[name]["trace"]):
            await recording.act(recorded["after"], recorded.get("acted") or {})
            await recording.expect(recorded, f"step {step}: {recorded['after']}")
        await recording.finish()
    except AssertionError as exc:
        return exc
    return None


class _Recording:
    """One trace's Deployment, the recorder's actions on it, and canaries that tell when the controllers are done."""

    def __init__(self, api: Api, name: str, manifest: Json) -> None:
        self._api = api
        self._name = name
        self._manifest = manifest
        self._namespace = str(manifest["metadata"]["namespace"])
        self._key = Key(DEPLOYMENT, self._namespace, manifest["metadata"]["name"])
        self._canaries = [Key(kind, CANARIES, name) for kind in (DEPLOYMENT, REPLICA_SET)]
        self._beats = itertools.count(1)

    # Actions.

    async def act(self, action: Any, acted: dict[str, int]) -> None:
        if action == "create":
            await self._create()
        elif "ready" in action or "unready" in action:
            await self._set_ready(acted, ready="ready" in action)
        elif "finish" in action:
            await self._order("finish", await self._ending())
        elif "image" in action:
            await _next_second()
            await self._api.set_image(SetImage(self._key, {"*": action["image"]}))
        elif "patch" in action:
            await self._patch(self._key, action["patch"])
        else:
            await _next_second()
            await self._api.undo(self._key, action["undo"])

    async def _create(self) -> None:
        await self._api.write(Create(Encoded.of(_namespace(self._namespace))))
        await self._api.write(Create(Encoded.of(from_json(deepcopy(self._manifest)))))
        for key in self._canaries:
            await self._api.write(Create(Encoded.of(_canary(key))))

    async def _set_ready(self, acted: dict[str, int], *, ready: bool) -> None:
        pods = await self._pods()
        for image, count in acted.items():
            fitting = [pod for pod in pods if _image(pod) == image and _is_ready(pod) != ready and not _ends(pod)]
            assert len(fitting) >= count
            await self._order("ready" if ready else "unready", fitting[:count])

    async def _order(self, order: str, pods: list[Pod]) -> None:
        """Tell the pods' kubelets what to do, as ``rollplane sim`` does."""
        for pod in pods:
            key = Key(POD, self._namespace, pod.metadata.name)
            await self._patch(key, {"metadata": {"annotations": {ORDER: order}}})

    async def _patch(self, key: Key, patch: Json) -> None:
        await self._api.write(Patch(key, PatchType.MERGE, json.dumps(patch).encode()))

    async def finish(self) -> None:
        """Let all pods that are to end do so: what is left then is at rest."""
        await self._order("finish", await self._ending())

        async def all_ended() -> bool:
            return not await self._ending()

        assert await _comes_true(all_ended), "pods do not end"

    # Looks.

    async def expect(self, recorded: Json, what: str) -> None:
        """Wait until the world looks as recorded, and the controllers have nothing left to do about it."""
        pairs: list[tuple[Json, Json]] = []

        async def alike() -> bool:
            expected, seen = normalised(deepcopy(recorded)), await self._snapshot()
            tolerate(self._name, expected, seen)
            pairs[:] = [(seen, expected)]
            return seen == expected

        if await _comes_true(alike):
            await self._let_controllers_catch_up()
            await alike()
        seen, expected = pairs[0]
        assert seen == expected, what

    async def _let_controllers_catch_up(self) -> None:
        """Change the canaries and wait until that is observed: by then all that came before has been acted on.

        Twice, because what the first round wrote is only seen by the second.
        """
        for _ in range(2):
            beat = next(self._beats)
            for key in self._canaries:
                await self._patch(key, {"spec": {"minReadySeconds": beat}})
            assert await _comes_true(self._canaries_are_observed), "the controllers do not see a change"

    async def _canaries_are_observed(self) -> bool:
        canaries = [(await self._api.get(key)).parse() for key in self._canaries]
        return all(
            isinstance(one, Deployment | ReplicaSet) and one.status.observed_generation >= one.metadata.generation
            for one in canaries
        )

    async def _snapshot(self) -> Json:
        deployment = (await self._api.get(self._key)).parse()
        assert isinstance(deployment, Deployment)
        sets = [one for one in await self._all(REPLICA_SET) if isinstance(one, ReplicaSet)]
        return snapshot(deployment, sets, await self._pods())

    async def _pods(self) -> list[Pod]:
        """Return the pods, oldest first."""
        pods = [pod for pod in await self._all(POD) if isinstance(pod, Pod)]
        return sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp.seconds, pod.metadata.name))

    async def _ending(self) -> list[Pod]:
        return [pod for pod in await self._pods() if _ends(pod)]

    async def _all(self, kind: Kind) -> list[ApiObject]:
        page = await self._api.list(ListQuery(kind, self._namespace))
        return [encoded.parse() for encoded in page.objects]


async def _comes_true(holds: Callable[[], Awaitable[bool]]) -> bool:
    deadline = time.monotonic() + STEP_SECONDS
    while not await holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


async def _next_second() -> None:
    """Wait for the clock's next second: ReplicaSets created within one are told apart by name only."""
    await asyncio.sleep(1.0 - time.time() % 1.0)


def _canary(key: Key) -> ApiObject:
    """A workload without pods; its status tells how far the controllers are."""
    message = key.kind.new()
    assert isinstance(message, Deployment | ReplicaSet)
    message.metadata.namespace, message.metadata.name = key.namespace, f"{key.name}"
    message.spec.replicas = 0
    label = f"{key.name}-{key.kind.singular}"
    message.spec.selector.match_labels["canary"] = label
    message.spec.template.metadata.labels["canary"] = label
    message.spec.template.spec.containers.add(name="c", image="canary:1")
    return message


def _namespace(name: str) -> Namespace:
    namespace = Namespace()
    namespace.metadata.name = name
    return namespace


def _image(pod: Pod) -> str:
    return pod.spec.containers[0].image


def _is_ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def _ends(pod: Pod) -> bool:
    return is_being_deleted(pod.metadata)
