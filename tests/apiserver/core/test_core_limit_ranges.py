"""LimitRanges as the core applies them: before validation what they fill in, after it what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane.meta.v1 import Quantity
from rollplane_apiserver.store.interface import Mutation, Require
from rollplane_machinery.api import Create, WriteOptions
from rollplane_machinery.errors import ForbiddenError, InvalidError
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import Office, named, pod
from tests.rules.test_limit_range import a_range


async def limited(office: Office, **row: Any) -> None:
    await office.create(a_range({"type": "Container", **row}))


def of_cpu(limit: str, name: str = "p") -> Pod:
    made = pod(name)
    made.spec.containers[0].resources.limits["cpu"].string = limit
    return made


async def test_a_new_pod_gets_the_defaults(office: Office) -> None:
    await limited(office, default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "500m", "memory": "1Gi"})
    made = await office.create(of_cpu("200m"))
    resources = made.spec.containers[0].resources
    assert {name: amount.string for name, amount in resources.limits.items()} == {"cpu": "200m", "memory": "1Gi"}
    assert {name: amount.string for name, amount in resources.requests.items()} == {"cpu": "200m", "memory": "1Gi"}
    assert made.status.qos_class == "Guaranteed", "the class follows from what was filled in"
    told = "LimitRanger plugin set: memory request for container app; memory limit for container app"
    assert made.metadata.annotations["kubernetes.io/limit-ranger"] == told


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_pod_beyond_the_limits_is_forbidden(office: Office, dry_run: bool) -> None:
    await limited(office, max={"cpu": "500m"})
    why = 'pods "p" is forbidden: maximum cpu usage per Container is 500m, but limit is 1$'
    with pytest.raises(ForbiddenError, match=why):
        await office.create(of_cpu("1"), WriteOptions(dry_run=dry_run))
    await office.create(of_cpu("500m"), WriteOptions(dry_run=dry_run))


async def test_each_pod_of_a_batch_is_judged_by_itself(office: Office) -> None:
    await limited(office, max={"cpu": "500m"})
    creates = [Create(Encoded.of(of_cpu("1" if at % 2 else "100m", f"p{at}"))) for at in range(4)]
    results = await office.api.batch(creates)
    assert [isinstance(result, ForbiddenError) for result in results] == [False, True, False, True]


async def test_a_limit_range_that_has_gone_refuses_nothing(office: Office) -> None:
    """The cache has not heard yet that it went; a refusal is confirmed first."""
    await limited(office, max={"cpu": "500m"})
    await office.store.commit([Mutation("limitranges", "default/limits", None, Require.PRESENT)])
    await office.create(of_cpu("1"))


async def test_other_namespaces_are_not_meant(office: Office) -> None:
    await limited(office, max={"cpu": "500m"})
    made = of_cpu("1")
    made.metadata.namespace = "kube-public"
    await office.create(made)


async def test_admission_comes_in_kubernetes_order(office: Office) -> None:
    """What is filled in, the account, validation, then what LimitRanges refuse."""
    await limited(office, max={"cpu": "500m"})
    wrong = of_cpu("1")
    wrong.spec.containers[0].name = "NO"
    wrong.spec.service_account_name = "nobody"
    with pytest.raises(ForbiddenError, match="error looking up service account"):
        await office.create(wrong)
    wrong.spec.service_account_name = ""
    with pytest.raises(InvalidError, match="name"):
        await office.create(wrong)
    wrong.spec.containers[0].name = "app"
    with pytest.raises(ForbiddenError, match="maximum cpu usage"):
        await office.create(wrong)


def claim(storage: str) -> PersistentVolumeClaim:
    made = named(PersistentVolumeClaim(), "data")
    made.spec.access_modes.append("ReadWriteOnce")
    made.spec.resources.requests["storage"].CopyFrom(Quantity(string=storage))
    return made


async def test_claims_are_judged_when_they_are_made(office: Office) -> None:
    await office.create(a_range({"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}))
    with pytest.raises(ForbiddenError, match='persistentvolumeclaims "data" is forbidden: maximum storage usage'):
        await office.create(claim("11Gi"))
    stored = await office.create(claim("10Gi"))
    stored.metadata.labels["tier"] = "db"
    await office.update(stored)
