"""Priorities: what a new pod gets of its PriorityClass, which the cache may not know yet; and the one default."""

from __future__ import annotations

import json

import pytest

from rollplane.core.v1 import Pod
from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.store.interface import Mutation, Require
from rollplane_machinery.api import Delete, Key, WriteOptions
from rollplane_machinery.errors import ForbiddenError, NotFoundError
from rollplane_machinery.kinds import PRIORITY_CLASS
from tests.apiserver.core.office import Office, pod


def a_class(name: str, **members: object) -> StoredObject:
    made = StoredObject(api_version="scheduling.k8s.io/v1", kind="PriorityClass")
    made.metadata.name = name
    for member, value in members.items():
        made.members[member].json = json.dumps(value).encode()
    return made


def of_class(name: str, namespace: str = "default") -> Pod:
    made = pod()
    made.metadata.namespace = namespace
    made.spec.priority_class_name = name
    return made


async def test_system_classes_are_there_from_the_start_and_stay(office: Office) -> None:
    made = await office.create(of_class("system-node-critical"))
    assert (made.spec.priority, made.spec.preemption_policy) == (2_000_001_000, "PreemptLowerPriority")
    with pytest.raises(ForbiddenError, match="this is a system priority class and cannot be deleted"):
        await office.api.write(Delete(Key(PRIORITY_CLASS, "", "system-node-critical")))


@pytest.mark.parametrize("dry_run", [False, True])
async def test_pod_of_an_unknown_class_is_refused(office: Office, dry_run: bool) -> None:
    with pytest.raises(ForbiddenError, match="is forbidden: no PriorityClass with name nope was found"):
        await office.create(of_class("nope"), WriteOptions(dry_run=dry_run))
    await office.create(a_class("nope", value=3))
    assert (await office.create(of_class("nope"), WriteOptions(dry_run=dry_run))).spec.priority == 3


async def test_class_that_the_cache_has_not_seen_refuses_nothing(office: Office) -> None:
    unseen = a_class("high", value=3)
    await office.store.commit([Mutation(PRIORITY_CLASS.resource, "/high", unseen.SerializeToString(), Require.ABSENT)])
    assert (await office.create(of_class("high"))).spec.priority == 3


async def test_missing_namespace_is_told_before_an_unknown_class(office: Office) -> None:
    with pytest.raises(NotFoundError, match='namespaces "nowhere" not found'):
        await office.create(of_class("nope", "nowhere"))


async def test_global_default_is_that_of_pods_without_a_class(office: Office) -> None:
    await office.create(a_class("calm", value=5, globalDefault=True, preemptionPolicy="Never"))
    spec = (await office.create(pod())).spec
    assert (spec.priority_class_name, spec.priority, spec.preemption_policy) == ("calm", 5, "Never")


async def test_only_one_class_is_the_default(office: Office) -> None:
    await office.create(a_class("calm", value=5, globalDefault=True))
    why = "PriorityClass calm is already marked as default. Only one default can exist"
    with pytest.raises(ForbiddenError, match=why):
        await office.create(a_class("other", value=6, globalDefault=True))
    other = await office.create(a_class("other", value=6))
    other.members["globalDefault"].json = b"true"
    with pytest.raises(ForbiddenError, match=why):
        await office.update(other)
    await office.api.write(Delete(Key(PRIORITY_CLASS, "", "calm")))
    await office.update(other)


async def test_update_without_the_priority_keeps_it(office: Office) -> None:
    made = await office.create(pod())
    for field in ("priority", "preemption_policy"):
        made.spec.ClearField(field)
    made.metadata.labels["a"] = "b"
    assert (await office.update(made)).spec.priority == 0
