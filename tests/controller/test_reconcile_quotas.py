"""The status of quotas, and what owners of pods tell when one stops them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Pod, ReplicationController, Service
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import (
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    RESOURCE_QUOTA,
    SERVICE,
    ApiObject,
    Kind,
)
from rollplane_rules.admission.reading import json_text
from tests.controller.plane import Plane, a_plane
from tests.customs import GROUP, stored_custom, stored_definition
from tests.planners.daemon_sets import a_daemon_set
from tests.planners.deployments import a_deployment
from tests.planners.stateful_sets import a_stateful_set


def a_quota(hard: dict[str, str]) -> StoredObject:
    made = RESOURCE_QUOTA.new()
    assert isinstance(made, StoredObject)
    made.metadata.name, made.metadata.namespace = "q", "shop"
    made.spec.json = json_text({"hard": hard})
    return made


def fresh(made: Any) -> Any:
    made.metadata.ClearField("uid")
    made.ClearField("status")
    made.metadata.namespace = "shop"
    return made


def a_rollout(replicas: int) -> Deployment:
    made = fresh(a_deployment(replicas=replicas))
    assert isinstance(made, Deployment)
    return made


async def status(plane: Plane) -> Any:
    found = await plane.find(RESOURCE_QUOTA, "q")
    assert isinstance(found, StoredObject)
    return json.loads(found.status.json)


async def failure(plane: Plane, kind: Kind) -> str:
    """Return the message of ReplicaFailure, "" where there is none."""
    (found,) = await plane.all(kind)
    assert isinstance(found, Deployment | ReplicaSet)
    return next((one.message for one in found.status.conditions if one.type == "ReplicaFailure"), "")


async def revise(plane: Plane, hard: dict[str, str]) -> None:
    stored = await plane.find(RESOURCE_QUOTA, "q")
    assert isinstance(stored, StoredObject)
    stored.spec.json = json_text({"hard": hard})
    await plane.update(stored)


def a_service() -> Service:
    service = Service()
    service.metadata.name, service.metadata.namespace = "s", "shop"
    service.spec.type = "NodePort"
    service.spec.ports.add(port=80)
    return service


async def test_the_status_follows_what_is_there() -> None:
    async with a_plane() as plane:
        await plane.start()
        hard = {"pods": "5", "services.nodeports": "3", "configmaps": "9"}
        await plane.create(a_quota(hard))
        await plane.create(a_rollout(3))
        await plane.create(a_service())
        await plane.quiet()
        used = {"pods": "3", "services.nodeports": "1", "configmaps": "1"}
        assert await status(plane) == {"hard": hard, "used": used}
        await plane.delete(SERVICE, "s")
        await plane.delete(DEPLOYMENT, "web")
        await plane.quiet()
        await plane.finish()
        await plane.quiet()
        assert (await status(plane))["used"] == {"pods": "0", "services.nodeports": "0", "configmaps": "1"}


async def test_the_status_follows_the_quota() -> None:
    async with a_plane() as plane:
        await plane.create(a_rollout(3))
        await plane.start()
        await plane.create(a_quota({"pods": "5"}))
        await plane.quiet()
        await revise(plane, {"count/pods": "4"})
        await plane.quiet()
        assert await status(plane) == {"hard": {"count/pods": "4"}, "used": {"count/pods": "3"}}


async def test_a_pod_that_cannot_end_is_counted_for_so_long_only() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(a_quota({"pods": "5"}))
        await plane.create(a_rollout(3))
        await plane.quiet()
        stuck, *_ = await plane.pods()
        await plane.delete(POD, stuck.metadata.name)
        await plane.quiet()
        assert (await status(plane))["used"] == {"pods": "4"}, "it has been made up for, and still counts"
        await plane.pass_time(62)
        await plane.quiet()
        assert (await status(plane))["used"] == {"pods": "3"}


async def test_custom_kinds_are_counted() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(stored_definition())
        one, two = stored_custom("one"), stored_custom("two")
        one.metadata.namespace = two.metadata.namespace = "shop"
        await plane.create(one)
        await plane.quiet()
        await plane.create(a_quota({f"count/crontabs.{GROUP}": "5"}))
        await plane.quiet()
        assert (await status(plane))["used"] == {f"count/crontabs.{GROUP}": "1"}
        await plane.create(two)
        await plane.quiet()
        assert (await status(plane))["used"] == {f"count/crontabs.{GROUP}": "2"}


async def test_a_quota_at_rest_causes_no_writes() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(a_quota({"pods": "5"}))
        await plane.create(a_rollout(3))
        await plane.quiet()
        before = await plane.find(RESOURCE_QUOTA, "q")
        await plane.pass_time(20)
        assert await plane.find(RESOURCE_QUOTA, "q") == before


async def test_a_deployment_that_a_quota_stops_tells_why_and_goes_on_when_it_can() -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(a_quota({"pods": "2"}))
        await plane.create(a_rollout(3))
        await plane.quiet()
        assert len(await plane.pods()) == 2
        why = "exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"
        for kind in (REPLICA_SET, DEPLOYMENT):
            message = await failure(plane, kind)
            assert message.startswith('pods "web-')
            assert message.endswith(f'" is forbidden: {why}')
        told = await plane.events("FailedCreate")
        assert told
        assert all(event.involved_object.kind == "ReplicaSet" for event in told)
        assert told[0].message.startswith('Error creating: pods "web-')
        assert told[0].message.endswith(f'" is forbidden: {why}')
        await revise(plane, {"pods": "3"})
        await plane.pass_time(30)
        await plane.quiet()
        assert len(await plane.pods()) == 3
        assert not await failure(plane, REPLICA_SET)
        assert not await failure(plane, DEPLOYMENT)


def a_controller() -> ReplicationController:
    made = ReplicationController()
    made.metadata.name, made.metadata.namespace = "rc", "shop"
    made.spec.replicas = 1
    made.spec.selector["app"] = made.spec.template.metadata.labels["app"] = "rc"
    made.spec.template.spec.containers.add(name="c", image="i")
    return made


def a_set() -> StatefulSet:
    made = fresh(a_stateful_set("v1", 1))
    assert isinstance(made, StatefulSet)
    return made


def a_daemon() -> DaemonSet:
    made = fresh(a_daemon_set())
    assert isinstance(made, DaemonSet)
    return made


REFUSED = "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0"


@pytest.mark.parametrize(
    ("owner", "begins"),
    [
        (a_rollout(1), "Error creating: pods"),
        (a_controller(), "Error creating: pods"),
        (a_set(), "create Pod db-0 in StatefulSet db failed error: pods"),
        (a_daemon(), "Error creating: pods"),
    ],
    ids=["ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"],
)
async def test_owners_of_pods_tell_of_the_quota_in_their_words(owner: ApiObject, begins: str) -> None:
    async with a_plane() as plane:
        await plane.start()
        await plane.create(a_quota({"pods": "0"}))
        await plane.create(owner)
        await plane.pass_time(3)
        told = await plane.events("FailedCreate")
        assert told
        assert all(event.message.startswith(begins) and event.message.endswith(REFUSED) for event in told)
        await revise(plane, {"pods": "9"})
        await plane.pass_time(30)
        assert all(isinstance(pod, Pod) for pod in await plane.pods())
        assert await plane.pods()
