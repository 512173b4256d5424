"""api-conventions.md section 2: who may write over whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from rollplane_apiserver.store.interface import Mutation, Outcome, Require
from rollplane_machinery.api import Delete, Preconditions, SetImage
from rollplane_machinery.errors import AlreadyExistsError, ConflictError, InvalidError, NotFoundError
from rollplane_machinery.kinds import ApiObject
from tests.apiserver.core.office import (
    Office,
    budget,
    config_map,
    copied,
    daemon_set,
    deployment,
    event,
    key_of,
    lease,
    node,
    pod,
    replica_set,
    replication_controller,
    service,
    stateful_set,
)


async def test_create_of_what_is_there_already_exists(office: Office) -> None:
    await office.create(config_map())
    with pytest.raises(AlreadyExistsError, match='configmaps "c" already exists'):
        await office.create(config_map())


async def test_put_with_a_stale_version_is_a_conflict(office: Office) -> None:
    old = await office.create(config_map())
    newer = copied(old)
    newer.data["k"] = "w"
    await office.update(newer)
    old.data["k"] = "x"
    with pytest.raises(ConflictError, match="the object has been modified"):
        await office.update(old)
    assert (await office.get(old)).data["k"] == "w"


UNCONDITIONAL: dict[str, Callable[[], ApiObject]] = {
    "Deployment": deployment,
    "ReplicaSet": replica_set,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "ReplicationController": replication_controller,
    "Pod": pod,
    "Node": node,
    "ConfigMap": config_map,
}


@pytest.mark.parametrize("make", UNCONDITIONAL.values(), ids=UNCONDITIONAL)
async def test_put_without_a_version_is_unconditional(office: Office, make: Callable[[], ApiObject]) -> None:
    made = await office.create(make())
    made.metadata.labels["a"] = "b"
    made.metadata.ClearField("resource_version")
    made.metadata.ClearField("uid")
    assert (await office.update(made)).metadata.labels["a"] == "b"


@pytest.mark.parametrize("make", [lease, budget], ids=["Lease", "PodDisruptionBudget"])
async def test_put_without_a_version_is_invalid_where_it_is_required(
    office: Office, make: Callable[[], ApiObject]
) -> None:
    made = await office.create(make())
    made.metadata.labels["a"] = "b"
    made.metadata.ClearField("resource_version")
    with pytest.raises(InvalidError, match="must be specified for an update"):
        await office.update(made)


@pytest.mark.parametrize("make", [lease, event, service], ids=["Lease", "Event", "Service"])
async def test_put_of_an_absent_object_creates_some_kinds(office: Office, make: Callable[[], ApiObject]) -> None:
    made = await office.update(make())
    assert made.metadata.uid
    assert await office.exists(made)


@pytest.mark.parametrize("make", UNCONDITIONAL.values(), ids=UNCONDITIONAL)
async def test_put_of_an_absent_object_is_not_found(office: Office, make: Callable[[], ApiObject]) -> None:
    with pytest.raises(NotFoundError):
        await office.update(make())


async def test_patch_without_a_version_is_applied_to_whatever_is_stored(office: Office) -> None:
    made = await office.create(config_map())
    patches = (office.patch(made, f'{{"data":{{"k{n}":"v"}}}}') for n in range(4))
    await asyncio.gather(*patches)
    assert set((await office.get(made)).data) == {"k", "k0", "k1", "k2", "k3"}


async def test_five_tries_end_in_a_conflict(office: Office) -> None:
    """Ten writers that all start from the same version: whoever is overtaken five times gives up."""
    made = await office.create(config_map())
    patches = [office.patch(made, f'{{"data":{{"k{n}":"v"}}}}') for n in range(10)]
    results = await asyncio.gather(*patches, return_exceptions=True)
    conflicts = [result for result in results if isinstance(result, ConflictError)]
    written = [result for result in results if not isinstance(result, BaseException)]
    assert len(conflicts) + len(written) == 10
    assert len((await office.get(made)).data) == len(written) + 1
    assert len(written) >= 5


@pytest.mark.parametrize("field", ["resourceVersion", "uid"])
async def test_what_a_patch_names_of_the_metadata_is_a_precondition(office: Office, field: str) -> None:
    made = await office.create(config_map())
    with pytest.raises(ConflictError):
        await office.patch(made, f'{{"metadata":{{"{field}":"99"}},"data":{{"k":"w"}}}}')
    right = made.metadata.resource_version if field == "resourceVersion" else made.metadata.uid
    done = await office.patch(made, f'{{"metadata":{{"{field}":"{right}"}},"data":{{"k":"w"}}}}')
    assert done.data["k"] == "w"


@pytest.mark.parametrize("asked", [Preconditions(uid="other"), Preconditions(resource_version="1")])
async def test_delete_preconditions_that_are_not_met_are_a_conflict(office: Office, asked: Preconditions) -> None:
    made = await office.create(config_map())
    with pytest.raises(ConflictError):
        await office.delete(made, preconditions=asked)
    assert await office.exists(made)
    both = Preconditions(made.metadata.uid, made.metadata.resource_version)
    assert (await office.delete(made, preconditions=both)).removed


async def test_delete_of_an_absent_object_is_not_found(office: Office) -> None:
    with pytest.raises(NotFoundError, match='configmaps "c" not found'):
        await office.delete(config_map())


async def test_refusals_are_confirmed_by_a_live_read(office: Office) -> None:
    """The cache of a core may lag: what it refuses, the store has to confirm."""
    made = await office.create(config_map())
    before = office.store.reads
    made.metadata.resource_version = "1"
    with pytest.raises(ConflictError):
        await office.update(made)
    with pytest.raises(NotFoundError):
        await office.api.write(Delete(key_of(config_map("absent"))))
    made.metadata.ClearField("resource_version")
    await office.update(made)
    assert office.store.reads == before + 3


async def test_status_update_with_a_uid_and_no_version_is_allowed(office: Office) -> None:
    made = await office.create(pod())
    await office.patch(made, '{"metadata":{"labels":{"a":"b"}}}')
    made.metadata.ClearField("resource_version")
    made.status.phase = "Running"
    assert (await office.update_status(made)).status.phase == "Running"
    made.metadata.uid = "a-former-pods"
    with pytest.raises(ConflictError):
        await office.update_status(made)


async def test_a_verb_that_lost_its_race_starts_again_from_what_is_there(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status writes change the resource version all the time; a verb that lost a race tries again on what is there."""
    await office.create(deployment())
    commit, lost = office.store.commit, 0

    async def racing(mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        nonlocal lost
        if lost < 3:
            lost += 1
            (stored,) = await office.store.read("deployments.apps", ["default/web"])
            assert stored is not None
            now = deployment()
            now.ParseFromString(stored.value)
            now.spec.replicas += 1
            theirs = Mutation(stored.resource, stored.key, now.SerializeToString(), Require.PRESENT)
            await commit([theirs])
        return await commit(mutations)

    monkeypatch.setattr(office.store, "commit", racing)
    await office.api.set_image(SetImage(key_of(deployment()), {"app": "app:2"}))
    now = await office.get(deployment())
    assert (lost, now.spec.replicas, now.spec.template.spec.containers[0].image) == (3, 4, "app:2")
