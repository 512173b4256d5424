"""api-conventions.md section 3, and the binding, finalize and eviction subresources."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from rollplane.core.v1 import Node, Pod, ReplicationController
from rollplane_apiserver.core import Core, CoreSettings
from rollplane_apiserver.store.interface import Mutation, Outcome
from rollplane_machinery import kinds
from rollplane_machinery.api import Bind, Evict, Patch, PatchType, Preconditions, UpdateStatus
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.errors import (
    BadRequestError,
    CauseReason,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotFoundError,
    TooManyRequestsError,
    UnsupportedError,
)
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import release_of
from rollplane_rules.registry.disruption import draw
from rollplane_rules.registry.scale import scalable, scale_of
from tests.apiserver.core.office import (
    CountingStore,
    Office,
    as_type,
    budget,
    config_map,
    controller_revision,
    copied,
    daemon_set,
    deployment,
    event,
    key_of,
    lease,
    namespace,
    node,
    pod,
    ready,
    replica_set,
    replication_controller,
    stateful_set,
)


async def test_status_is_emptied_on_create(office: Office) -> None:
    message = deployment()
    message.status.replicas = 7
    assert (await office.create(message)).status.replicas == 0


async def test_status_is_ignored_on_update(office: Office) -> None:
    made = await office.create(deployment())
    made.status.replicas = 7
    made.metadata.labels["a"] = "b"
    assert (await office.update(made)).status.replicas == 0


async def test_status_update_takes_nothing_but_the_status(office: Office) -> None:
    made = await office.create(deployment())
    made.spec.replicas = 9
    made.metadata.labels["a"] = "b"
    made.status.replicas = 7
    changed = await office.update_status(made)
    assert (changed.spec.replicas, changed.status.replicas) == (1, 7)
    assert "a" not in changed.metadata.labels


Status = Callable[[], ApiObject]


@pytest.mark.parametrize("make", [pod, node, replication_controller], ids=["Pod", "Node", "ReplicationController"])
async def test_pod_node_and_rc_behave_alike(
    office: Office, make: Callable[[], Pod | Node | ReplicationController]
) -> None:
    made = await office.create(make())
    changed = await office.patch(
        made, '{"status":{"conditions":[{"type":"Own","status":"True"}]},"spec":{"x":null}}', subresource="status"
    )
    assert [c.type for c in changed.status.conditions] == ["Own"]
    again = await office.patch(made, '{"status":{"conditions":[]},"metadata":{"labels":{"a":"b"}}}')
    assert [c.type for c in again.status.conditions] == ["Own"]
    assert again.metadata.labels["a"] == "b"


@pytest.mark.parametrize("make", [event, lease, controller_revision], ids=["Event", "Lease", "ControllerRevision"])
async def test_kinds_without_status_refuse_it(office: Office, make: Status) -> None:
    made = await office.create(make())
    with pytest.raises(UnsupportedError):
        await office.api.write(UpdateStatus(Encoded.of(made)))


SCALED: dict[str, Callable[[], ApiObject]] = {
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "StatefulSet": stateful_set,
    "ReplicationController": replication_controller,
}


@pytest.mark.parametrize("make", SCALED.values(), ids=SCALED)
async def test_scale_bumps_the_generation_of_its_parent(office: Office, make: Callable[[], ApiObject]) -> None:
    made = await office.create(make())
    scaled = scalable(key_of(made).kind, await office.patch(made, '{"spec":{"replicas":4}}', subresource="scale"))
    assert scaled.spec.replicas == 4
    assert scaled.metadata.generation == 2
    scale = scale_of(key_of(made).kind, scaled)
    assert (scale.metadata.uid, scale.metadata.name) == (made.metadata.uid, made.metadata.name)
    assert scale.metadata.resource_version == scaled.metadata.resource_version
    assert scale.metadata.creation_timestamp == made.metadata.creation_timestamp
    assert scale.status.selector == "app=web"


async def test_scale_checks_version_and_number(office: Office) -> None:
    made = await office.create(deployment())
    with pytest.raises(ConflictError):
        await office.patch(made, '{"metadata":{"resourceVersion":"1"},"spec":{"replicas":4}}', subresource="scale")
    with pytest.raises(InvalidError):
        await office.patch(made, '{"spec":{"replicas":-1}}', subresource="scale")
    ops = '[{"op":"replace","path":"/spec/replicas","value":3}]'
    assert (await office.patch(made, ops, PatchType.JSON, "scale")).spec.replicas == 3


@pytest.mark.parametrize("subresource", ["scale", "finalize", "nonsense"])
async def test_subresources_that_are_not_there(office: Office, subresource: str) -> None:
    made = await office.create(daemon_set())
    with pytest.raises(UnsupportedError):
        await office.patch(made, '{"spec":{}}', subresource=subresource)


async def test_namespace_finalizers_change_through_finalize_only(office: Office) -> None:
    made = await office.create(namespace("team"))
    kept = await office.patch(made, '{"spec":{"finalizers":[]}}')
    assert list(kept.spec.finalizers) == ["kubernetes"]
    freed = await office.patch(made, '{"spec":{"finalizers":[]}}', subresource="finalize")
    assert list(freed.spec.finalizers) == []


async def test_bind_sets_node_and_condition(office: Office) -> None:
    made = await office.create(pod())
    result = await office.api.write(Bind(key_of(made), "n1"))
    assert result.object is not None
    bound = as_type(made, result.object)
    scheduled = get_condition(bound.status.conditions, "PodScheduled")
    assert bound.spec.node_name == "n1"
    assert scheduled is not None
    assert (scheduled.status, scheduled.last_transition_time.seconds) == ("True", 1_600_000_000)


async def test_bind_is_once_and_for_all(office: Office) -> None:
    made = await office.create(pod())
    await office.api.write(Bind(key_of(made), "n1"))
    with pytest.raises(ConflictError, match='already assigned to node "n1"'):
        await office.api.write(Bind(key_of(made), "n2"))
    await office.delete(made)
    with pytest.raises(ConflictError, match="is being deleted"):
        await office.api.write(Bind(key_of(made), "n2"))


async def test_bind_refusals(office: Office) -> None:
    made = await office.create(pod())
    with pytest.raises(NotFoundError):
        await office.api.write(Bind(key_of(pod("absent")), "n1"))
    with pytest.raises(InvalidError):
        await office.api.write(Bind(key_of(made), ""))
    with pytest.raises(ConflictError):
        await office.api.write(Bind(key_of(made), "n1", Preconditions(uid="other")))
    config = await office.create(config_map())
    with pytest.raises(UnsupportedError):
        await office.api.write(Bind(key_of(config), "n1"))


async def running(office: Office, name: str = "p", *, is_ready: bool = True, **labels: str) -> Pod:
    made = await office.create(pod(name, node="n1", **(labels or {"app": "web"})))
    if is_ready:
        return await office.update_status(ready(made))
    made.status.phase = "Running"
    return await office.update_status(made)


async def with_budget(office: Office, name: str = "pdb", allowed: int = 1, generation: int = 1) -> None:
    wanted = budget(name, allowed, generation)
    made = await office.create(wanted)
    made.status.CopyFrom(wanted.status)
    await office.update_status(made)


async def test_evict_without_a_budget_deletes_gracefully(office: Office) -> None:
    made = await running(office)
    result = await office.api.write(Evict(key_of(made)))
    assert not result.removed
    gone = await office.get(made)
    assert gone.metadata.deletion_grace_period_seconds == 30
    target = get_condition(gone.status.conditions, "DisruptionTarget")
    assert target is not None
    assert target.reason == "EvictionByEvictionAPI"


async def test_evict_draws_on_the_budget_until_it_is_empty(office: Office) -> None:
    await with_budget(office, allowed=1)
    first, second = await running(office, "a"), await running(office, "b")
    await office.api.write(Evict(key_of(first)))
    drawn = await office.get(budget())
    assert drawn.status.disruptions_allowed == 0
    assert drawn.status.disrupted_pods["a"].seconds == 1_600_000_000
    with pytest.raises(TooManyRequestsError) as refused:
        await office.api.write(Evict(key_of(second)))
    assert refused.value.retry_after_seconds is None
    assert [cause.reason for cause in refused.value.causes] == [CauseReason.DISRUPTION_BUDGET]
    assert not is_being_deleted((await office.get(second)).metadata)


async def test_evictions_that_race_share_one_budget(office: Office) -> None:
    await with_budget(office, allowed=2)
    pods = [await running(office, f"p{n}") for n in range(5)]
    results = await office.api.batch([Evict(key_of(one)) for one in pods])
    refused = [result for result in results if isinstance(result, TooManyRequestsError)]
    marked = [one for one in pods if is_being_deleted((await office.get(one)).metadata)]
    assert (len(refused), len(marked)) == (3, 2)
    assert (await office.get(budget())).status.disruptions_allowed == 0


async def test_evict_waits_for_a_budget_that_was_not_counted(office: Office) -> None:
    await with_budget(office, generation=0)
    made = await running(office)
    with pytest.raises(TooManyRequestsError, match="would violate"):
        await office.api.write(Evict(key_of(made)))


async def test_several_budgets_are_an_internal_error(office: Office) -> None:
    await with_budget(office, "one")
    await with_budget(office, "two")
    made = await running(office)
    with pytest.raises(InternalError, match="more than one PodDisruptionBudget"):
        await office.api.write(Evict(key_of(made)))


def test_budget_that_cannot_be_reckoned_with_is_forbidden() -> None:
    with pytest.raises(ForbiddenError, match="negative"):
        draw(budget(allowed=-1), pod(), 0.0)
    crowded = budget(allowed=1)
    for number in range(2001):
        crowded.status.disrupted_pods[f"p{number}"].seconds = 0
    with pytest.raises(ForbiddenError, match="too many"):
        draw(crowded, pod(), 0.0)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
async def test_ended_pods_are_just_deleted(office: Office, phase: str) -> None:
    await with_budget(office, allowed=0)
    made = await running(office)
    made.status.phase = phase
    made = await office.update_status(made)
    assert (await office.api.write(Evict(key_of(made)))).removed


async def test_unscheduled_pods_are_just_deleted(office: Office) -> None:
    await with_budget(office, allowed=0)
    made = await office.create(pod(app="web"))
    assert (await office.api.write(Evict(key_of(made)))).removed


async def test_unready_pod_of_a_healthy_budget_draws_nothing(office: Office) -> None:
    await with_budget(office, allowed=0)
    made = await running(office, is_ready=False)
    await office.api.write(Evict(key_of(made)))
    assert is_being_deleted((await office.get(made)).metadata)
    assert (await office.get(budget())).status.disruptions_allowed == 0


async def test_evict_refusals(office: Office) -> None:
    with pytest.raises(NotFoundError):
        await office.api.write(Evict(key_of(pod("absent"))))
    made = await running(office)
    with pytest.raises(ConflictError):
        await office.api.write(Evict(key_of(made), preconditions=Preconditions(uid="other")))
    with pytest.raises(BadRequestError):
        await office.api.write(Evict(key_of(pod(""))))


PATCHES = {
    "json": (PatchType.JSON, '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"app:v2"}]'),
    "merge": (PatchType.MERGE, '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:v2"}]}}}}'),
    "strategic": (
        PatchType.STRATEGIC_MERGE,
        '{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"app:v2"}]}}}}',
    ),
}


@pytest.mark.parametrize(("kind", "document"), PATCHES.values(), ids=PATCHES)
async def test_patches_are_defaulted_and_validated(office: Office, kind: PatchType, document: str) -> None:
    made = await office.create(deployment())
    changed = await office.patch(made, document, kind)
    container = changed.spec.template.spec.containers[0]
    assert (container.image, container.termination_message_path) == ("app:v2", "/dev/termination-log")
    with pytest.raises(InvalidError):
        await office.patch(made, '{"spec":{"replicas":-1}}')
    with pytest.raises(BadRequestError):
        await office.patch(made, "{")


async def test_selector_of_a_deployment_is_immutable(office: Office) -> None:
    made = await office.create(deployment())
    changed = copied(made)
    changed.spec.selector.match_labels["b"] = "c"
    changed.spec.template.metadata.labels["b"] = "c"
    with pytest.raises(InvalidError) as refused:
        await office.update(changed)
    assert [cause.field for cause in refused.value.causes] == ["spec.selector"]


async def test_controller_revision_data_is_immutable_and_its_revision_is_not(office: Office) -> None:
    made = await office.create(controller_revision())
    made.revision = 2
    assert (await office.update(made)).revision == 2
    made.metadata.ClearField("resource_version")
    made.data.raw = b'{"a":2}'
    with pytest.raises(InvalidError):
        await office.update(made)


async def test_patch_of_an_absent_object_is_not_found(office: Office) -> None:
    with pytest.raises(NotFoundError):
        await office.api.write(Patch(key_of(lease("absent")), PatchType.MERGE, b"{}"))
    assert await office.names(kinds.LEASE) == []


async def test_many_evictions_at_once_all_get_their_turn(office: Office) -> None:
    await with_budget(office, allowed=12)
    pods = [await running(office, f"p{n:02}") for n in range(12)]
    results = await asyncio.gather(*(office.api.write(Evict(key_of(one))) for one in pods))
    assert len(results) == 12
    assert (await office.get(budget())).status.disruptions_allowed == 0


async def test_eviction_that_is_overtaken_draws_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget went through and the pod did not: the second try must not pay again."""
    await with_budget(office, allowed=5)
    made = await running(office)
    commit = office.store.commit

    async def overtaken(mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        monkeypatch.undo()
        stored = [
            replace(one, revision=one.revision - 1) if one.resource == "pods" else one for one in mutations
        ]  # as if the pod had changed since it was read
        return await commit(stored)

    monkeypatch.setattr(office.store, "commit", overtaken)
    await office.api.write(Evict(key_of(made)))
    assert is_being_deleted((await office.get(made)).metadata)
    assert (await office.get(budget())).status.disruptions_allowed == 4


async def test_a_gated_pod_is_not_bound(office: Office) -> None:
    gated = pod()
    gated.spec.scheduling_gates.add(name="quota")
    made = await office.create(gated)
    with pytest.raises(ConflictError, match="remove quota first"):
        await office.api.write(Bind(key_of(made), "n1"))
    freed = await office.patch(made, '{"spec":{"schedulingGates":null}}')
    await office.api.write(Bind(key_of(freed), "n1"))
    assert (await office.get(freed)).spec.node_name == "n1"


ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"


@pytest.mark.parametrize(("release", "labels"), [("1.34", {}), ("1.35", {ZONE: "a", REGION: "north"})])
async def test_a_pod_bears_zone_and_region_of_its_node_by_release(release: str, labels: dict[str, str]) -> None:
    store, clock = CountingStore(), FakeClock()
    async with Core(store, clock, settings=CoreSettings(release=release_of(release))) as core:
        office = Office(core, store, clock)
        home = node()
        home.metadata.labels.update({ZONE: "a", REGION: "north", "disk": "ssd"})
        home = await office.create(home)
        bound = await office.create(pod())
        await office.api.write(Bind(key_of(bound), home.metadata.name))
        placed = pod("placed")
        placed.spec.node_name = home.metadata.name
        for each in (await office.get(bound), await office.create(placed)):
            assert labels.items() <= each.metadata.labels.items()
            assert (ZONE in each.metadata.labels, "disk" in each.metadata.labels) == (bool(labels), False)
