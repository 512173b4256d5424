"""ResourceQuotas: what they allow is decided where writes are ordered, whatever happens at the same time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from rollplane.core.v1 import Pod, Service
from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.store.interface import Mutation
from rollplane_apiserver.store.interface import Outcome as StoreOutcome
from rollplane_machinery.api import Create, Delete, EventType, Key, WriteOptions, WriteResult, WriteToken
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    ForbiddenError,
    NotFoundError,
    Outcome,
    RollplaneError,
    UnavailableError,
)
from rollplane_machinery.kinds import POD, RESOURCE_QUOTA, Encoded
from rollplane_rules.admission.reading import json_text
from tests.apiserver.core.office import (
    CountingStore,
    Office,
    config_map,
    copied,
    namespace,
    pod,
    service,
)
from tests.customs import GROUP, stored_custom, stored_definition


def quota(name: str = "q", **spec: Any) -> StoredObject:
    made = RESOURCE_QUOTA.new()
    assert isinstance(made, StoredObject)
    made.metadata.name, made.metadata.namespace = name, "default"
    made.spec.json = json_text(spec)
    return made


def of_pods(count: int | str, name: str = "q") -> StoredObject:
    return quota(name, hard={"pods": str(count)})


def asking(name: str, cpu: str) -> Pod:
    made = pod(name)
    made.spec.containers[0].resources.requests["cpu"].string = cpu
    return made


def creates(count: int, prefix: str = "p", **asked: Any) -> list[Create]:
    return [Create(Encoded.of(pod(f"{prefix}{at}")), **asked) for at in range(count)]


def in_threes(count: int, prefix: str) -> list[Create]:
    return [replace(create, group=f"g{at // 3}") for at, create in enumerate(creates(count, prefix))]


def made(results: Sequence[WriteResult | RollplaneError]) -> list[bool]:
    assert all(isinstance(result, WriteResult | ForbiddenError) for result in results), results
    return [isinstance(result, WriteResult) for result in results]


async def test_a_pod_too_many_is_forbidden_in_kubernetes_words(office: Office) -> None:
    await office.create(of_pods(5))
    assert made(await office.api.batch(creates(5))) == [True] * 5
    why = 'pods "p6" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5$'
    with pytest.raises(ForbiddenError, match=why):
        await office.create(pod("p6"))


async def test_of_a_batch_exactly_so_many_pass_and_the_others_are_told(office: Office) -> None:
    await office.create(of_pods(50))
    results = await office.api.batch(creates(100))
    assert made(results) == [True] * 50 + [False] * 50
    assert "used: pods=50, limited: pods=50" in str(results[99])


async def test_objects_from_before_the_quota_count(office: Office) -> None:
    await office.api.batch(creates(3))
    await office.create(of_pods(4))
    assert made(await office.api.batch(creates(2, "later"))) == [True, False]


async def test_what_goes_or_ends_makes_room(office: Office) -> None:
    await office.create(of_pods(1))
    first = await office.create(pod("p1"))
    with pytest.raises(ForbiddenError):
        await office.create(pod("p2"))
    await office.delete(first, grace_period_seconds=0)
    second = await office.create(pod("p2"))
    second.status.phase = "Succeeded"
    await office.update_status(second)
    await office.create(pod("p3"))


async def test_a_pod_on_a_lost_node_makes_room_once_its_time_is_over(office: Office) -> None:
    await office.create(of_pods(1))
    stuck = pod("p1", node="gone")
    stuck.metadata.finalizers.append("example.com/stay")
    await office.delete(await office.create(stuck))
    with pytest.raises(ForbiddenError):
        await office.create(pod("p2"))
    await office.clock.advance(61)
    await office.create(pod("p2"))


async def test_a_rehearsal_takes_nothing(office: Office) -> None:
    await office.create(of_pods(1))
    for at in range(3):
        await office.create(pod(f"p{at}"), WriteOptions(dry_run=True))
    await office.create(pod())
    with pytest.raises(ForbiddenError):
        await office.create(pod("p2"), WriteOptions(dry_run=True))


async def test_a_refused_create_takes_nothing(office: Office) -> None:
    await office.create(pod())
    await office.create(of_pods(2))
    twice = Create(Encoded.of(pod()))
    assert all(isinstance(result, AlreadyExistsError) for result in await office.api.batch([twice]))
    await office.create(pod("p2"))


async def test_a_group_ends_at_the_first_that_is_too_many(office: Office) -> None:
    await office.create(of_pods(2))
    results = await office.api.batch(creates(5, group="g"))
    assert [type(result).__name__ for result in results] == [
        "WriteResult",
        "WriteResult",
        "AdmissionRefusedError",
        "NotAttemptedError",
        "NotAttemptedError",
    ]


async def test_every_quota_is_asked(office: Office) -> None:
    await office.create(quota("a", hard={"requests.cpu": "1"}))
    await office.create(quota("b", hard={"requests.cpu": "2", "pods": "1"}))
    with pytest.raises(ForbiddenError, match=r"failed quota: a: must specify requests.cpu for: app$"):
        await office.create(pod())
    with pytest.raises(ForbiddenError, match=r"exceeded quota: a, requested: requests.cpu=1500m, used: requests.cpu=0"):
        await office.create(asking("p", "1500m"))
    await office.create(asking("p", "500m"))
    with pytest.raises(ForbiddenError, match=r"exceeded quota: b, requested: pods=1, used: pods=1, limited: pods=1$"):
        await office.create(asking("p2", "500m"))


async def test_a_change_of_a_quota_acts_at_once(office: Office) -> None:
    stored = await office.create(of_pods(5))
    await office.api.batch(creates(3))
    stored.spec.json = json_text({"hard": {"pods": "3"}})
    stored = await office.update(stored)
    with pytest.raises(ForbiddenError, match="limited: pods=3"):
        await office.create(pod("p9"))
    await office.delete(stored)
    await office.create(pod("p9"))


async def test_other_namespaces_are_not_meant(office: Office) -> None:
    await office.create(of_pods(0))
    await office.create(pod(namespace="kube-public"))


async def test_kinds_are_counted_by_their_names(office: Office) -> None:
    await office.create(quota(hard={"configmaps": "1", "count/jobs.batch": "0"}))
    await office.create(config_map("one"))
    with pytest.raises(
        ForbiddenError, match='configmaps "two" is forbidden: exceeded quota: q, requested: configmaps=1'
    ):
        await office.create(config_map("two"))
    job = StoredObject(api_version="batch/v1", kind="Job")
    job.metadata.name, job.metadata.namespace = "j", "default"
    with pytest.raises(
        ForbiddenError, match=r'jobs.batch "j" is forbidden: exceeded quota: q, requested: count/jobs.batch=1'
    ):
        await office.create(job)


async def test_custom_kinds_are_counted(office: Office) -> None:
    await office.create(stored_definition())
    await office.create(stored_custom("one"))
    await office.create(quota(hard={f"count/crontabs.{GROUP}": "2"}))
    await office.create(stored_custom("two"))
    with pytest.raises(
        ForbiddenError, match=r"requested: count/crontabs.example.com=1, used: count/crontabs.example.com=2"
    ):
        await office.create(stored_custom("three"))


async def test_a_service_that_becomes_a_load_balancer_is_asked_again(office: Office) -> None:
    await office.create(quota(hard={"services": "1", "services.loadbalancers": "0"}))
    stored = await office.create(service())
    balanced = copied(stored)
    balanced.spec.type = "LoadBalancer"
    with pytest.raises(ForbiddenError, match=r"requested: services.loadbalancers=1, used: services.loadbalancers=0"):
        await office.update(balanced)
    stored.metadata.labels["a"] = "b"
    assert isinstance(await office.update(stored), Service)


async def test_a_namespace_that_goes_is_told_before_its_quota(office: Office) -> None:
    await office.create(namespace("team"))
    full = of_pods(0)
    full.metadata.namespace = "team"
    await office.create(full)
    await office.delete(namespace("team"))
    with pytest.raises(ForbiddenError, match="because it is being terminated"):
        await office.create(pod(namespace="team"))
    with pytest.raises(NotFoundError):
        await office.create(pod(namespace="nowhere"))


@asynccontextmanager
async def two_cores() -> AsyncIterator[tuple[Office, Office]]:
    store, clock = CountingStore(), FakeClock()
    async with (
        Core(store, clock, randomness=random.Random(1)) as one,
        Core(store, clock, randomness=random.Random(2)) as two,
    ):
        yield Office(one, store, clock), Office(two, store, clock)


async def pods_of(office: Office) -> int:
    return len(await office.names(POD, namespace="default"))


async def test_two_apiservers_at_once_pass_no_more_than_there_may_be() -> None:
    async with two_cores() as (one, two):
        await one.create(of_pods(1))
        await two.core.as_identity(ADMIN).get(Encoded.of(of_pods(1)).key)
        await asyncio.sleep(0)
        results = await asyncio.gather(one.create(pod("p1")), two.create(pod("p2")), return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["AdmissionRefusedError", "Pod"]


async def test_a_crowd_at_two_apiservers_fills_the_quota_exactly() -> None:
    async with two_cores() as (one, two):
        await one.create(of_pods(100))
        await pods_of(two)
        batches = [
            office.api.batch(creates(30, f"{at}-{n}-")) for at, office in enumerate((one, two)) for n in range(4)
        ]
        results = [result for batch in await asyncio.gather(*batches) for result in batch]
        passed = sum(isinstance(result, WriteResult) for result in results)
        assert passed == await pods_of(one)
        assert passed <= 100
        assert all(isinstance(result, WriteResult | RollplaneError) for result in results)
        for at in range(100 - passed):
            await one.create(pod(f"last-{at}"))
        with pytest.raises(ForbiddenError):
            await two.create(pod("beyond"))


async def assert_just_as_many_fit(office: Office, most: int) -> None:
    """At no revision were there more than ``most`` pods; nor are there fewer once as many were asked for."""
    there_were = await pods_of(office)
    assert sum(made(await office.api.batch(creates(most, "last-")))) == most - there_were
    there, highest = set[str](), 0
    for change in (await office.store.changes(0)).changes:
        if change.resource == "pods":
            (there.discard if change.type is EventType.DELETED else there.add)(change.key)
            highest = max(highest, len(there))
    assert highest == most


@pytest.mark.parametrize("seed", range(8))
async def test_at_no_revision_is_there_more_than_there_may_be(seed: int) -> None:
    """Two apiservers make and delete pods at the same time, singly and in batches; what is left over can be had."""
    chance, most = random.Random(seed), 12
    async with two_cores() as offices:
        await offices[0].create(of_pods(most))
        await pods_of(offices[1])

        async def worker(number: int) -> None:
            office = chance.choice(offices)
            for step in range(6):
                await office.api.batch(creates(chance.randint(1, 4), f"{number}-{step}-"))
                for gone in await office.names(POD, namespace="default"):
                    if chance.random() < 0.3:
                        await office.api.batch([Delete(Key(POD, "default", gone), 0)])
                await asyncio.sleep(0)

        await asyncio.gather(*map(worker, range(8)))
        await assert_just_as_many_fit(chance.choice(offices), most)


async def test_a_batch_that_is_cut_counts_its_pieces_on_their_way() -> None:
    """Its first groups are being committed while the others are decided, and so are those of another apiserver."""
    most = 250
    async with two_cores() as offices:
        await offices[0].create(of_pods(most))
        await pods_of(offices[1])
        await asyncio.gather(*(office.api.batch(in_threes(300, f"{at}-")) for at, office in enumerate(offices)))
        await assert_just_as_many_fit(offices[1], most)


async def test_a_quota_lowered_at_one_apiserver_holds_at_the_other() -> None:
    async with two_cores() as (one, two):
        stored = await one.create(of_pods(10))
        await two.create(pod("p1"))
        stored.spec.json = json_text({"hard": {"pods": "1"}})
        await one.update(stored)
        with pytest.raises(ForbiddenError, match="limited: pods=1"):
            await two.create(pod("p2"))


async def test_after_a_lost_answer_the_commit_tells_what_is_taken(office: Office) -> None:
    """The pod was made though nobody was told; what is decided before the cache shows it must not forget it."""
    await office.create(of_pods(1))
    commit = office.store.commit

    async def lose(mutations: Sequence[Mutation]) -> Sequence[StoreOutcome]:
        office.store.commit = commit  # type: ignore[method-assign]
        await commit(mutations)
        raise UnavailableError("lost", outcome=Outcome.OUTCOME_UNKNOWN)

    office.store.commit = lose  # type: ignore[method-assign]
    results = await asyncio.gather(office.create(pod("p1")), office.create(pod("p2")), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AdmissionRefusedError", "UnavailableError"]
    assert await pods_of(office) == 1


async def test_a_caller_that_goes_away_leaves_nothing_held(office: Office) -> None:
    """Its write is made all the same, which the next one must not forget."""
    await office.create(of_pods(1))
    commit, is_asked, may_go_on = office.store.commit, asyncio.Event(), asyncio.Event()

    async def stall(mutations: Sequence[Mutation]) -> Sequence[StoreOutcome]:
        is_asked.set()
        await may_go_on.wait()
        return await commit(mutations)

    office.store.commit = stall  # type: ignore[method-assign]
    caller = asyncio.ensure_future(office.create(pod("p1")))
    await is_asked.wait()
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    may_go_on.set()
    with pytest.raises(ForbiddenError, match="used: pods=1"):
        await office.create(pod("p2"))


async def test_a_repeat_is_told_what_its_first_sending_made_though_the_quota_is_full(office: Office) -> None:
    await office.create(of_pods(1))
    first = WriteOptions(token=WriteToken("writer", 1))
    made_first = await office.create(pod("p1"), first)
    assert await office.create(pod("p1"), replace(first, repeat=True)) == made_first
    with pytest.raises(ForbiddenError):
        await office.create(pod("p2"), WriteOptions(token=WriteToken("writer", 2), repeat=True))
