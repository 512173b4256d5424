"""A pod's ServiceAccount must be there: what the cache does not hold is confirmed before a pod is refused."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod, ServiceAccount
from rollplane_apiserver.store.interface import Mutation, Require
from rollplane_machinery.api import WriteOptions
from rollplane_machinery.errors import ForbiddenError, NotFoundError
from tests.apiserver.core.office import Office, pod


def of_robot(namespace: str = "default") -> Pod:
    made = pod()
    made.metadata.namespace = namespace
    made.spec.service_account_name = "robot"
    return made


def robot() -> ServiceAccount:
    account = ServiceAccount()
    account.metadata.namespace, account.metadata.name = "default", "robot"
    return account


@pytest.mark.parametrize("dry_run", [False, True])
async def test_pod_of_an_unknown_account_is_refused(office: Office, dry_run: bool) -> None:
    why = 'is forbidden: error looking up service account default/robot: serviceaccount "robot" not found'
    with pytest.raises(ForbiddenError, match=why):
        await office.create(of_robot(), WriteOptions(dry_run=dry_run))
    await office.create(robot())
    made = await office.create(of_robot(), WriteOptions(dry_run=dry_run))
    assert made.spec.service_account_name == "robot"


@pytest.mark.parametrize("dry_run", [False, True])
async def test_account_that_the_cache_has_not_seen_refuses_nothing(office: Office, dry_run: bool) -> None:
    await office.store.commit(
        [Mutation("serviceaccounts", "default/robot", robot().SerializeToString(), Require.ABSENT)]
    )
    await office.create(of_robot(), WriteOptions(dry_run=dry_run))


async def test_default_account_need_not_be_there(office: Office) -> None:
    assert (await office.create(pod())).spec.service_account_name == "default"


async def test_missing_namespace_is_told_before_a_missing_account(office: Office) -> None:
    with pytest.raises(NotFoundError, match='namespaces "nowhere" not found'):
        await office.create(of_robot("nowhere"))
