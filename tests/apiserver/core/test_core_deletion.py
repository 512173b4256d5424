"""api-conventions.md section 4 and pod-lifecycle.md section 8: finalizers, propagation, graceful pods, namespaces."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Create,
    Delete,
    DeleteCollection,
    EventType,
    Preconditions,
    Propagation,
    WatchFilter,
    WatchQuery,
)
from rollplane_machinery.errors import CauseReason, ConflictError, ForbiddenError
from rollplane_machinery.kinds import ApiObject, Encoded
from tests.apiserver.core.office import (
    Office,
    as_type,
    config_map,
    daemon_set,
    deployment,
    key_of,
    namespace,
    pod,
    replica_set,
    replication_controller,
    stateful_set,
)

NOW = 1_600_000_000
HOLD = "example.com/hold"

DEFAULTS: dict[str, tuple[Callable[[], ApiObject], list[str]]] = {
    "Deployment": (deployment, []),
    "ReplicaSet": (replica_set, []),
    "StatefulSet": (stateful_set, []),
    "DaemonSet": (daemon_set, []),
    "ConfigMap": (config_map, []),
    "ReplicationController": (replication_controller, ["orphan"]),
}


@pytest.mark.parametrize(("make", "finalizers"), DEFAULTS.values(), ids=DEFAULTS)
async def test_default_propagation(office: Office, make: Callable[[], ApiObject], finalizers: list[str]) -> None:
    made = await office.create(make())
    result = await office.delete(made)
    assert result.removed is not bool(finalizers)
    if finalizers:
        assert list((await office.get(made)).metadata.finalizers) == finalizers


POLICIES = {
    Propagation.BACKGROUND: [],
    Propagation.FOREGROUND: ["foregroundDeletion"],
    Propagation.ORPHAN: ["orphan"],
}


@pytest.mark.parametrize(("policy", "finalizers"), POLICIES.items(), ids=lambda value: str(value))
async def test_policy_is_stored_as_a_finalizer(office: Office, policy: Propagation, finalizers: list[str]) -> None:
    made = await office.create(replication_controller())
    result = await office.delete(made, propagation=policy)
    assert result.removed is not bool(finalizers)
    if finalizers:
        marked = await office.get(made)
        assert list(marked.metadata.finalizers) == finalizers
        assert marked.metadata.deletion_timestamp.seconds == NOW
        assert marked.metadata.deletion_grace_period_seconds == 0
        assert marked.metadata.generation == 2


async def test_existing_finalizer_decides_when_no_policy_is_given(office: Office) -> None:
    message = deployment()
    message.metadata.finalizers.append("orphan")
    made = await office.create(message)
    await office.delete(made)
    assert list((await office.get(made)).metadata.finalizers) == ["orphan"]


async def test_background_removes_at_once_and_answers_the_revision_of_the_deletion(office: Office) -> None:
    made = await office.create(config_map())
    async with office.api.watch(WatchQuery((WatchFilter(kinds.CONFIG_MAP),))) as batches:
        result = await office.delete(made)
        batch = await anext(batches)
    (event,) = batch.events
    assert event.type is EventType.DELETED
    assert event.revision == result.revision > int(made.metadata.resource_version)
    final = as_type(made, event.object)
    assert final.metadata.resource_version == str(result.revision)
    assert result.object is not None
    assert result.object.parse() == final


async def test_object_with_finalizers_goes_when_the_last_is_dropped(office: Office) -> None:
    message = config_map()
    message.metadata.finalizers.append(HOLD)
    made = await office.create(message)
    assert not (await office.delete(made)).removed
    marked = await office.get(made)
    assert marked.metadata.deletion_timestamp.seconds == NOW
    marked.metadata.finalizers.remove(HOLD)
    await office.update(marked)
    assert not await office.exists(made)


async def test_patch_may_drop_the_last_finalizer_too(office: Office) -> None:
    made = await office.create(deployment())
    await office.delete(made, propagation=Propagation.FOREGROUND)
    await office.patch(made, '{"metadata":{"finalizers":null}}')
    assert not await office.exists(made)


async def test_repeated_delete_is_a_no_op_that_may_change_the_policy(office: Office) -> None:
    made = await office.create(deployment())
    first = await office.delete(made, propagation=Propagation.FOREGROUND)
    again = await office.delete(made)
    assert again.revision == first.revision
    assert not again.removed
    await office.delete(made, propagation=Propagation.ORPHAN)
    marked = await office.get(made)
    assert list(marked.metadata.finalizers) == ["orphan"]
    assert marked.metadata.generation == 2


async def test_unscheduled_pod_goes_at_once(office: Office) -> None:
    made = await office.create(pod())
    assert (await office.delete(made)).removed


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
async def test_ended_pod_goes_at_once(office: Office, phase: str) -> None:
    made = await office.create(pod(node="n1"))
    made.status.phase = phase
    await office.update_status(made)
    assert (await office.delete(made)).removed


GRACES: dict[str, tuple[int | None, int | None, int]] = {
    "the pod's own": (None, 7, 7),
    "the default": (None, None, 30),
    "the one asked for": (12, 7, 12),
    "negative becomes one second": (-5, None, 1),
}


@pytest.mark.parametrize(("asked", "own", "granted"), GRACES.values(), ids=GRACES)
async def test_pod_ends_gracefully(office: Office, asked: int | None, own: int | None, granted: int) -> None:
    message = pod(node="n1")
    if own is not None:
        message.spec.termination_grace_period_seconds = own
    made = await office.create(message)
    result = await office.delete(made, grace_period_seconds=asked)
    marked = await office.get(made)
    assert not result.removed
    assert marked.metadata.deletion_grace_period_seconds == granted
    assert marked.metadata.deletion_timestamp.seconds == NOW + granted


SECOND: dict[str, tuple[int | None, int]] = {
    "shorter counts": (10, 10),
    "longer changes nothing": (60, 30),
    "equal changes nothing": (30, 30),
    "none changes nothing": (None, 30),
}


@pytest.mark.parametrize(("asked", "granted"), SECOND.values(), ids=SECOND)
async def test_second_delete_can_only_hasten(office: Office, asked: int | None, granted: int) -> None:
    made = await office.create(pod(node="n1"))
    first = await office.delete(made)
    await office.clock.advance(5)
    second = await office.delete(made, grace_period_seconds=asked)
    marked = await office.get(made)
    assert marked.metadata.deletion_grace_period_seconds == granted
    assert marked.metadata.deletion_timestamp.seconds == NOW + granted
    assert (second.revision == first.revision) is (granted == 30)


async def test_longer_own_grace_is_not_cut_by_a_second_delete(office: Office) -> None:
    message = pod(node="n1")
    message.spec.termination_grace_period_seconds = 300
    made = await office.create(message)
    await office.delete(made)
    await office.delete(made)
    assert (await office.get(made)).metadata.deletion_grace_period_seconds == 300


async def test_kubelet_confirms_with_grace_zero_and_uid(office: Office) -> None:
    made = await office.create(pod(node="n1"))
    await office.delete(made)
    with pytest.raises(ConflictError):
        await office.delete(made, grace_period_seconds=0, preconditions=Preconditions(uid="a-former-pods"))
    done = await office.delete(made, grace_period_seconds=0, preconditions=Preconditions(uid=made.metadata.uid))
    assert done.removed
    assert not await office.exists(made)


async def test_force_removes_a_running_pod(office: Office) -> None:
    made = await office.create(pod(node="n1"))
    assert (await office.delete(made, grace_period_seconds=0)).removed


async def test_finalizers_hold_a_pod_after_grace_zero(office: Office) -> None:
    message = pod(node="n1")
    message.metadata.finalizers.append(HOLD)
    made = await office.create(message)
    await office.delete(made)
    assert not (await office.delete(made, grace_period_seconds=0)).removed
    held = await office.get(made)
    assert held.metadata.deletion_grace_period_seconds == 0
    assert held.metadata.deletion_timestamp.seconds <= NOW
    await office.patch(made, '{"metadata":{"finalizers":null}}')
    assert not await office.exists(made)


async def test_dropping_a_finalizer_does_not_cut_the_grace_short(office: Office) -> None:
    message = pod(node="n1")
    message.metadata.finalizers.append(HOLD)
    made = await office.create(message)
    await office.delete(made)
    await office.patch(made, '{"metadata":{"finalizers":null}}')
    assert await office.exists(made)


async def test_deletion_of_a_dying_pod_cannot_be_unset_by_an_update(office: Office) -> None:
    made = await office.create(pod(node="n1"))
    await office.delete(made)
    made.metadata.ClearField("resource_version")
    made.metadata.labels["a"] = "b"
    changed = await office.update(made)
    assert changed.metadata.deletion_timestamp.seconds == NOW + 30


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_some_namespaces_stay(office: Office, name: str) -> None:
    with pytest.raises(ForbiddenError, match="this namespace may not be deleted"):
        await office.delete(namespace(name))


async def test_initial_namespaces(office: Office) -> None:
    assert await office.names(kinds.NAMESPACE) == ["default", "kube-node-lease", "kube-public", "kube-system"]


async def test_namespace_ends_in_steps(office: Office) -> None:
    team = await office.create(namespace("team"))
    inside = await office.create(config_map(namespace="team"))
    assert not (await office.delete(team)).removed
    terminating = await office.get(team)
    assert terminating.status.phase == "Terminating"
    with pytest.raises(ForbiddenError) as refused:
        await office.create(config_map("new", namespace="team"))
    assert [cause.reason for cause in refused.value.causes] == [CauseReason.NAMESPACE_TERMINATING]
    await office.patch(inside, '{"data":{"k":"still writable"}}')
    await office.delete(inside)
    await office.patch(team, '{"metadata":{"labels":{"a":"b"}}}')
    with pytest.raises(ForbiddenError):  # the seal outlives other writes
        await office.create(config_map("new", namespace="team"))
    await office.patch(team, '{"spec":{"finalizers":[]}}', subresource="finalize")
    assert not await office.exists(team)


async def test_delete_collection_takes_what_the_selectors_match(office: Office) -> None:
    for name in ("a", "b"):
        await office.create(config_map(name, app="web"))
    await office.create(config_map("c", app="db"))
    await office.create(namespace("team"))
    await office.create(config_map("d", namespace="team", app="web"))
    done = await office.api.delete_collection(DeleteCollection(kinds.CONFIG_MAP, "default", "app=web"))
    assert done.deleted == 2
    assert await office.names(kinds.CONFIG_MAP) == ["c", "d"]
    assert done.revision == office.core.revision


async def test_delete_collection_of_many(office: Office) -> None:
    await office.api.batch([Create(Encoded.of(config_map(f"c{n:03}"))) for n in range(600)])
    done = await office.api.delete_collection(DeleteCollection(kinds.CONFIG_MAP))
    assert done.deleted == 600
    assert await office.names(kinds.CONFIG_MAP) == []


async def test_delete_of_many_in_one_batch(office: Office) -> None:
    made = [await office.create(config_map(f"c{n}")) for n in range(3)]
    results = await office.api.batch([Delete(key_of(one)) for one in made] * 2)
    assert [getattr(result, "removed", result.__class__.__name__) for result in results] == [
        True,
        True,
        True,
        "NotFoundError",
        "NotFoundError",
        "NotFoundError",
    ]
