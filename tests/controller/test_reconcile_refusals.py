"""What the owners of pods tell when a write of theirs is refused, each in its kind's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import ServiceAccount
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_controller.metrics import Metrics
from rollplane_machinery.api import Create, Delete, ObjectApi, Update, Write
from rollplane_machinery.errors import ForbiddenError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import DEPLOYMENT, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET, Kind
from tests.controller.plane import Plane, RefusingApi, a_plane
from tests.planners.daemon_sets import a_daemon_set
from tests.planners.deployments import a_deployment
from tests.planners.pods import a_pod
from tests.planners.stateful_sets import a_claim_template, a_stateful_set

Refuses = Callable[[Write], RollplaneError | None]


def refusing(verb: type[Create] | type[Update], kind: Kind) -> Refuses:
    def refuse(write: Write) -> RollplaneError | None:
        is_meant = isinstance(write, Create | Update) and type(write) is verb and write.object.kind is kind
        return ForbiddenError("not today") if is_meant else None

    return refuse


def no_deletion(write: Write) -> RollplaneError | None:
    return ForbiddenError("not today") if isinstance(write, Delete) and write.key.kind is POD else None


async def started(plane: Plane, error: Refuses) -> None:
    await plane.start(wrap=lambda api: RefusingApi(api, error))


async def told(plane: Plane, reason: str) -> set[tuple[str, str]]:
    """Return the kinds and messages of the events with this reason."""
    await plane.pass_time(3)
    return {(event.involved_object.kind, event.message) for event in await plane.events(reason)}


def no_room(write: Write) -> RollplaneError | None:
    """Refuse what a store at its limit of memory refuses of a controller: pods, not their deletion."""
    if isinstance(write, Create) and write.object.kind is POD:
        return UnavailableError("the store is out of memory", outcome=Outcome.NOT_SENT, retry_after_seconds=1.0)
    return None


def named(name: str) -> Deployment:
    made = a_deployment(replicas=3)
    made.metadata.name = name
    made.metadata.ClearField("uid")
    made.ClearField("status")
    made.spec.selector.match_labels["app"] = made.spec.template.metadata.labels["app"] = name
    return made


async def test_refused_creates_hold_up_neither_deletions_nor_what_is_wanted_now() -> None:
    async with a_plane() as plane:
        refuses: list[Refuses] = [lambda _write: None]
        metrics = Metrics(plane.clock)
        api: list[RefusingApi] = []

        def wrap(inner: ObjectApi) -> ObjectApi:
            api.append(RefusingApi(inner, lambda write: refuses[0](write)))
            return api[0]

        await plane.start(wrap=wrap, metrics=metrics)
        for name in ("goes", "grows"):
            await plane.create(named(name))
        await plane.quiet()
        refuses[0] = no_room
        grown = await plane.find(DEPLOYMENT, "grows")
        assert isinstance(grown, Deployment)
        grown.spec.replicas = 9
        await plane.update(grown)
        await plane.pass_time(8)
        await plane.delete(DEPLOYMENT, "goes")
        await plane.pass_time(2)
        assert {pod.metadata.labels["app"] for pod in await plane.pods()} == {"grows"}
        assert len(await plane.pods()) == 3
        await plane.pass_time(20)
        failed = metrics.registry.get_sample_value(
            "rollplane_reconcile_errors_total", {"name": "replicaset-controller"}
        )
        untaken = metrics.registry.get_sample_value("rollplane_batch_writes_untaken_total")
        assert failed
        assert untaken


async def test_a_full_store_has_room_for_the_conditions_that_tell_of_it() -> None:
    store = MemoryStore()
    async with a_plane(store=store) as plane:
        await plane.start()
        await plane.create(named("web"))
        await plane.quiet()
        store.full = True
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        web.spec.replicas = 9
        await plane.update(web)
        await plane.pass_time(15)
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        failure = {one.type: one for one in web.status.conditions}["ReplicaFailure"]
        assert "the store is out of memory" in failure.message


def a_set(**spec: Any) -> StatefulSet:
    made = a_stateful_set("v1", 1, **spec)
    made.metadata.ClearField("uid")
    made.ClearField("status")
    return made


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (POD, "create Pod db-0 in StatefulSet db failed error: not today"),
        (PERSISTENT_VOLUME_CLAIM, "create Claim data-db-0 Pod db-0 in StatefulSet db failed error: not today"),
    ],
    ids=["pod", "claim"],
)
async def test_a_stateful_set_tells_what_it_cannot_make(kind: Kind, text: str) -> None:
    async with a_plane() as plane:
        await started(plane, refusing(Create, kind))
        await plane.create(a_set(volumeClaimTemplates=[a_claim_template()]))
        assert await told(plane, "FailedCreate") == {("StatefulSet", text)}


async def test_a_stateful_set_tells_which_pod_it_cannot_mend() -> None:
    async with a_plane() as plane:
        await started(plane, refusing(Update, POD))
        await plane.create(a_set())
        await plane.quiet()
        await plane.set_ready(await plane.pods())
        await plane.quiet()
        (pod,) = await plane.pods()
        del pod.metadata.labels["statefulset.kubernetes.io/pod-name"]
        await plane.update(pod)
        text = "update Pod db-0 in StatefulSet db failed error: not today"
        assert await told(plane, "FailedUpdate") == {("StatefulSet", text)}


async def test_a_stateful_set_tells_which_pod_it_cannot_delete() -> None:
    async with a_plane() as plane:
        await started(plane, no_deletion)
        await plane.create(a_set())
        await plane.quiet()
        shrunk = await plane.find(STATEFUL_SET, "db")
        assert isinstance(shrunk, StatefulSet)
        shrunk.spec.replicas = 0
        await plane.update(shrunk)
        text = "delete Pod db-0 in StatefulSet db failed error: not today"
        assert await told(plane, "FailedDelete") == {("StatefulSet", text)}


async def test_a_deployment_waits_for_the_account_its_pods_name() -> None:
    async with a_plane() as plane:
        await plane.start()
        web = a_deployment("v1", 2)
        web.metadata.ClearField("uid")
        web.spec.template.spec.service_account_name = "robot"
        await plane.create(web)
        ((kind, text),) = await told(plane, "FailedCreate")
        assert kind == "ReplicaSet"
        assert text.startswith('Error creating: pods "web-')
        why = 'is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found'
        assert text.endswith(why)
        found = await plane.find(DEPLOYMENT, "web")
        assert isinstance(found, Deployment)
        failure = {one.type: one for one in found.status.conditions}["ReplicaFailure"]
        assert (failure.status, failure.reason) == ("True", "FailedCreate")
        account = ServiceAccount()
        account.metadata.namespace, account.metadata.name = "shop", "robot"
        await plane.create(account)
        await plane.pass_time(60)
        assert len(await plane.pods()) == 2


async def test_no_other_kind_tells_of_updates() -> None:
    async with a_plane() as plane:
        await started(plane, refusing(Update, POD))
        orphan = a_pod("orphan", owner="", node="n0")
        orphan.metadata.ClearField("uid")
        await plane.create(orphan)
        agent: DaemonSet = a_daemon_set("v1")
        agent.metadata.ClearField("uid")
        agent.spec.selector.match_labels.clear()
        agent.spec.selector.match_labels.update(orphan.metadata.labels)
        agent.spec.template.metadata.labels.clear()
        agent.spec.template.metadata.labels.update(orphan.metadata.labels)
        await plane.create(agent)
        assert await told(plane, "FailedUpdate") == set()
