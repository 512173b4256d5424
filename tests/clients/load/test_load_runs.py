"""Whole loads on planes in virtual time: every action is carried out and done, everything is given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Namespace, Node, Pod
from rollplane_load.cluster import Target
from rollplane_load.results import document, has_failed, rollover_fields, run_document
from rollplane_load.running import Run
from rollplane_load.scenario.model import SUITS, Action, rollover
from rollplane_load.tally import Tally
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent, WatchQuery
from rollplane_machinery.errors import ConflictError, TimedOutError, UnsupportedError
from rollplane_machinery.kinds import POD, Encoded
from rollplane_rehearsal import run
from tests.clients.load.virtual import carried_out, scenario, target
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane

WORKLOADS = """
patience: 2m
workloads:
  - {kind: Deployment, count: 2, replicas: 3}
  - {kind: StatefulSet, count: 1, replicas: 2}
  - {kind: DaemonSet, count: 1}
  - {kind: ReplicationController, count: 1, replicas: 2}
phases:
  - create: all
"""
EACH = [Action.ROLL, Action.ROLLOVER, Action.SCALE, Action.RESTART, Action.PAUSE, Action.UNDO]
MIXED = [*EACH, Action.DELETE_PODS, Action.DRAIN, Action.CREATE, Action.DELETE]


@pytest.mark.parametrize("action", EACH)
def test_a_batch_does_it_to_every_workload_that_it_suits(action: Action) -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            wanted = scenario(f"{WORKLOADS}  - roll: all\n  - {action}: all\n")
            found = await carried_out(plane, wanted)
            assert not has_failed(found)
            assert found["errors"] == {}
            counts = {row["kind"]: row["count"] for row in found["rollouts"] if row["action"] == action}
            suits = [each for each in wanted.workloads if each.kind in SUITS[action]]
            twice = 2 if action is Action.ROLL else 1
            assert {name: n for name, n in counts.items() if name} == {e.kind.name: e.count * twice for e in suits}

    run(story())


@pytest.mark.parametrize("action", MIXED)
def test_a_mix_does_it_and_sees_it_done(action: Action) -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            mix = f"{WORKLOADS}  - roll: all\n  - mix: {{{action}: 1}}\n    concurrency: 2\n    actions: 6\n"
            found = await carried_out(plane, scenario(mix))
            assert not has_failed(found)
            done = sum(row["count"] for row in found["rollouts"] if row["action"] == action and row["kind"])
            assert done - (5 if action in (Action.ROLL, Action.CREATE) else 0) + sum(found["errors"].values()) == 6
            assert set(found["errors"]) <= {"NotFound"}  # no workload left to delete

    run(story())


def test_everything_is_given_back() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            before = [one.metadata.name for one in await plane.client.list(Namespace)]
            mix = """  - mix: {drain: 1, roll: 1}
    rate: 1/s
    for: 10s
    faults:
      - {silence: node-1, at: 1s, for: 5s}
      - {unready: node-2, at: 2s, for: 3s}
      - {restart kubelet: any, at: 3s}
      - {crash pods: 2, at: 4s}
      - {delete pods: 1, at: 5s, every: 2s}
      - {drain: any, at: 6s, for: 2s}
"""
            found = await carried_out(plane, scenario(WORKLOADS + mix))
            assert found["left_behind"] == found["invariant_violations"] == []
            assert [one.metadata.name for one in await plane.client.list(Namespace)] == before
            assert not any(node.spec.unschedulable for node in await plane.client.list(Node))
            assert not [one for one in await plane.client.list(ConfigMap) if "simulation" in one.metadata.name]
            labels = {label for _, label in found["marks"]}
            assert {"silence node-1", "unready node-2", "restart kubelet", "crash pods", "delete pods"} <= labels

    run(story())


def test_it_is_given_back_when_the_load_is_ended_half_way() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            faults = "    faults: [{silence: node-1, for: 1h}]\n"
            mix = f"  - mix: {{drain: 1, roll: 5}}\n    concurrency: 3\n    for: 1h\n{faults}"
            some = WORKLOADS.replace("  - {kind: DaemonSet, count: 1}\n", "")
            load = Run(scenario(some + mix), target(plane), clock=plane.clock)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(load.run())
                await plane.advance(20.0)
                assert [one for one in await plane.client.list(Namespace) if one.metadata.name.startswith("load-")]
                running.cancel()
            assert load.left == []
            assert not [one for one in await plane.client.list(Namespace) if one.metadata.name.startswith("load-")]
            assert not any(node.spec.unschedulable for node in await plane.client.list(Node))
            assert not [one for one in await plane.client.list(ConfigMap) if "simulation" in one.metadata.name]

    run(story())


def test_the_same_seed_does_the_same() -> None:
    some = "workloads: [{kind: Deployment, count: 2}, {kind: StatefulSet}]\nphases:\n  - create: all\n"
    mix = "  - mix: {roll: 3, scale: 2, restart: 1, undo: 1}\n    rate: 1/s\n    for: 8s\n"

    async def rollouts(seed: int) -> Sequence[Any]:
        async with fleet_plane() as plane:
            course = await Run(scenario(some + mix, seed=seed), target(plane), clock=plane.clock).run()
            return sorted((each.action, each.kind) for each in course.tally.rollouts)

    assert run(rollouts(1)) == run(rollouts(1)) != run(rollouts(2))


def test_at_a_rate_what_could_not_begin_in_time_counts_from_when_it_was_due() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            one = "workloads: [{kind: Deployment, replicas: 2}]\npatience: 1h\nphases:\n  - create: all\n"
            mix = (
                "  - mix: {roll: 1}\n    rate: 1/s\n    for: 30s\n    faults: [{silence: 'node-*', at: 5s, for: 20s}]\n"
            )
            found = await carried_out(plane, scenario(one + mix))
            rolled = next(row for row in found["rollouts"] if row["action"] == "roll")
            assert rolled["count"] == 30
            assert found["late"] > 10
            # All of the twenty seconds in which nothing moved were waited for, by one after another.
            assert rolled["max"] > 15
            assert rolled["p50"] > 3

    run(story())


def test_what_begins_in_the_warm_up_does_not_count() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            mix = "  - mix: {roll: 1}\n    rate: 1/s\n    for: 20s\n    warm up: 10.5s\n"
            one = "workloads: [{kind: Deployment}]\nphases:\n  - create: all\n"
            found = await carried_out(plane, scenario(one + mix))
            assert next(row["count"] for row in found["rollouts"] if row["action"] == "roll") == 10

    run(story())


def test_a_rollout_that_never_ends_is_counted_and_fails_the_run() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            mix = "  - mix: {roll: 1}\n    concurrency: 1\n    actions: 1\n    faults: [{silence: 'node-*', for: 5m}]\n"
            found = await carried_out(plane, scenario(WORKLOADS.replace("2m", "20s") + mix))
            assert found["unfinished"] >= 1
            assert has_failed(found)

    run(story())


def test_a_batch_that_never_ends_fails_and_what_is_left_is_told() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            plane.faults.silence("node-*")
            wanted = scenario(WORKLOADS.replace("2m", "20s"))
            load = Run(wanted, target(plane), clock=plane.clock, namespace="mine")
            with pytest.raises(TimedOutError, match="is not done after 20 s"):
                await load.run()
            # Pods on nodes that say nothing do not go, nor does what they are in.
            assert load.left == ['namespace "mine" is still there: it has not gone after 300 s']
            plane.faults.unsilence("node-*")

    run(story())


class Lying:
    """A watch that shows a pod more than there is: one that nobody asked for."""

    def __init__(self, plane: FleetPlane) -> None:
        self._plane = plane

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async with self._plane.api.watch(query) as batches:
            yield self._with_more(batches)

    async def _with_more(self, batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
        async for batch in batches:
            yield batch
            for event in batch.events:
                if event.object.kind is POD and event.type is EventType.ADDED:
                    more = Pod.FromString(event.object.value)
                    more.metadata.uid, more.metadata.name = f"{more.metadata.uid}-2", f"{more.metadata.name}-2"
                    told = WatchEvent(EventType.ADDED, Encoded.of(more), batch.revision)
                    yield WatchBatch((told,), batch.revision)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plane.api, name)


def test_a_broken_invariant_fails_the_run() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            lied_to: Target = replace(target(plane), watched=Lying(plane))
            course = await Run(rollover(1, 2, 0.0), lied_to, clock=plane.clock).run()
            found = run_document(course)
            assert any("live pods" in each for each in found["invariant_violations"])
            assert has_failed(found)

    run(story())


IMPOSSIBLE: dict[str, tuple[str, str]] = {
    "kill": ("    faults: [{kill controller: true}]\n", "kill controller: only services of a plane"),
    "silence": ("    faults: [{silence: any, for: 1s}]\n", "silence: there are no simulated kubelets"),
}


@pytest.mark.parametrize(("faults", "told"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_a_target_cannot_do_is_refused_before_anything_is_made(faults: str, told: str) -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            mix = f"{WORKLOADS}  - mix: {{roll: 1}}\n    concurrency: 1\n    for: 1s\n{faults}"
            bare = replace(target(plane, profile=None), rolling=None)
            with pytest.raises(UnsupportedError) as caught:
                Run(scenario(mix), bare, clock=plane.clock)
            assert told in caught.value.message
            assert "rolling updates of ReplicationControllers" in caught.value.message

    run(story())


def test_load_rollover_says_what_it_always_said() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            wanted = rollover(3, 2, 0.5)
            course = await Run(wanted, target(plane), clock=plane.clock).run()
            told = rollover_fields(document(wanted, {}, 0.0, [run_document(course)]))
            assert [*told] == [
                "deployments",
                "replicas",
                "create_seconds",
                "rollover_seconds",
                "pods_per_second",
                "rollout_p50_seconds",
                "rollout_p99_seconds",
                "write_p50_seconds",
                "write_p99_seconds",
                "cpu_seconds",
                "peak_mib",
                "invariant_violations",
            ]
            assert (told["deployments"], told["replicas"], told["invariant_violations"]) == (3, 2, [])

    run(story())


def test_what_others_have_is_left_alone() -> None:
    async def story() -> None:
        async with fleet_plane(4) as plane:
            await plane.deploy("mine", 4)
            await plane.until(lambda: _is_up(plane))
            before = {pod.metadata.uid for pod in await plane.pods()}
            mix = "  - mix: {drain: 1}\n    concurrency: 1\n    actions: 4\n"
            await carried_out(plane, scenario(WORKLOADS + mix))
            assert {pod.metadata.uid for pod in await plane.pods()} == before

    async def _is_up(plane: FleetPlane) -> bool:
        return (await plane.client.get(Deployment, "default", "mine")).status.available_replicas == 4

    run(story())


def test_errors_are_counted_by_reason() -> None:
    tally = Tally()
    for message in ("first", "second"):
        tally.fail(ConflictError(message))
    assert (tally.errors, tally.examples) == ({"Conflict": 2}, {"Conflict": "first"})
