"""Addresses and node ports of Services, by several cores over one store."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rollplane.core.v1 import Service
from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery import codec
from rollplane_machinery.api import Create, Delete, ListQuery, Patch, PatchType, Update, WriteOptions, WriteResult
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import AlreadyExistsError, InternalError, InvalidError
from rollplane_machinery.kinds import SERVICE, Encoded, Key
from rollplane_machinery.releases import release_of
from rollplane_rules.registry.addresses import Ranges, claims_of
from tests.apiserver.core.office import Office

SMALL = CoreSettings(ranges=Ranges.parse("10.0.0.0/28", "30000-30015"))
"""Thirteen addresses to give, sixteen ports."""


def service(name: str, **spec: Any) -> Encoded:
    data = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"ports": [{"port": 80}], **spec},
    }
    return Encoded.of(codec.from_json(data))


def key(name: str) -> Key:
    return Key(SERVICE, "default", name)


def read(result: WriteResult) -> Service:
    assert result.object is not None
    made = result.object.parse()
    assert isinstance(made, Service)
    return made


@pytest.fixture
async def small() -> AsyncIterator[Core]:
    async with Core(MemoryStore(), SystemClock(), settings=SMALL, randomness=random.Random(1)) as core:
        yield core


async def _held(core: Core) -> Iterator[str]:
    page = await core.as_identity(ADMIN).list(ListQuery(SERVICE))
    return (claim for encoded in page.objects for claim in claims_of(encoded.parse()))


async def test_an_address_is_given_and_kept(office: Office) -> None:
    made = read(await office.api.write(Create(service("web"))))
    assert made.spec.cluster_ip.startswith("10.")
    assert list(made.spec.cluster_ips) == [made.spec.cluster_ip]
    replaced = read(await office.api.write(Update(service("web", sessionAffinity="ClientIP"))))
    assert replaced.spec.cluster_ip == made.spec.cluster_ip
    merged = Patch(key("web"), PatchType.MERGE, b'{"spec": {"type": "NodePort"}}')
    patched = read(await office.api.write(merged))
    assert (patched.spec.cluster_ip, patched.spec.ports[0].node_port >= 30000) == (made.spec.cluster_ip, True)


async def test_an_address_is_free_again(office: Office) -> None:
    made = read(await office.api.write(Create(service("web"))))
    with pytest.raises(InvalidError, match="provided IP is already allocated"):
        await office.api.write(Create(service("other", clusterIP=made.spec.cluster_ip)))
    await office.api.write(Delete(key("web")))
    other = read(await office.api.write(Create(service("other", clusterIP=made.spec.cluster_ip))))
    assert other.spec.cluster_ip == made.spec.cluster_ip


async def test_a_service_without_an_address_gives_up_what_it_had(office: Office) -> None:
    made = read(await office.api.write(Create(service("web", type="NodePort"))))
    patch = b'{"spec": {"type": "ExternalName", "externalName": "a.b"}}'
    gone = read(await office.api.write(Patch(key("web"), PatchType.MERGE, patch)))
    assert claims_of(gone) == frozenset()
    node_port = made.spec.ports[0].node_port
    ports = [{"port": 80, "nodePort": node_port}]
    await office.api.write(Create(service("other", type="NodePort", clusterIP=made.spec.cluster_ip, ports=ports)))


async def test_refused_over_another_ones_port(office: Office) -> None:
    ports = [{"port": 80, "nodePort": 30005}]
    await office.api.write(Create(service("web", type="NodePort", ports=ports)))
    with pytest.raises(InvalidError, match=r"ports\[0\]\.nodePort: .*provided port is already allocated") as refused:
        await office.api.write(Create(service("other", type="NodePort", ports=ports)))
    assert refused.value.causes[0].field == "spec.ports[0].nodePort"


async def test_a_dry_run_takes_nothing(small: Core) -> None:
    api = small.as_identity(ADMIN)
    for _ in range(20):
        await api.write(Create(service("web"), WriteOptions(dry_run=True)))
    assert list(await _held(small)) == []


async def test_every_address_is_given_once(small: Core) -> None:
    api = small.as_identity(ADMIN)
    results = await api.batch([Create(service(f"s{number}")) for number in range(13)])
    assert all(isinstance(result, WriteResult) for result in results)
    assert max(Counter(await _held(small)).values()) == 1
    with pytest.raises(InternalError, match="failed to allocate a serviceIP: range is full"):
        await api.write(Create(service("one-more")))
    await api.write(Delete(key("s3")))
    await api.write(Create(service("one-more")))


async def test_cores_that_know_nothing_of_each_other_share_the_range() -> None:
    store = MemoryStore()
    async with (
        Core(store, SystemClock(), settings=SMALL, randomness=random.Random(1)) as one,
        Core(store, SystemClock(), settings=SMALL, randomness=random.Random(1)) as other,
    ):

        async def create(core: Core, name: str) -> None:
            await core.as_identity(ADMIN).write(Create(service(name, type="NodePort")))

        async with asyncio.TaskGroup() as tasks:
            for number in range(6):
                tasks.create_task(create(one, f"one-{number}"))
                tasks.create_task(create(other, f"other-{number}"))
        assert len(held := list(await _held(one))) == 24
        assert max(Counter(held).values()) == 1


async def test_an_address_that_another_core_freed_can_be_had_at_once() -> None:
    store = MemoryStore()
    async with Core(store, SystemClock()) as one, Core(store, SystemClock()) as other:
        for _ in range(10):
            made = read(await one.as_identity(ADMIN).write(Create(service("web"))))
            await one.as_identity(ADMIN).write(Delete(key("web")))
            mine = service("mine", clusterIP=made.spec.cluster_ip)
            await other.as_identity(ADMIN).write(Create(mine))
            await other.as_identity(ADMIN).write(Delete(key("mine")))


async def test_the_store_remembers_over_a_restart() -> None:
    store = MemoryStore()
    async with Core(store, SystemClock()) as core:
        made = read(await core.as_identity(ADMIN).write(Create(service("web"))))
    async with Core(store, SystemClock()) as core:
        with pytest.raises(InvalidError, match="already allocated"):
            await core.as_identity(ADMIN).write(Create(service("other", clusterIP=made.spec.cluster_ip)))


async def test_a_name_that_is_taken_costs_no_address(small: Core) -> None:
    api = small.as_identity(ADMIN)
    await api.write(Create(service("web")))
    for _ in range(20):
        with pytest.raises(AlreadyExistsError):
            await api.write(Create(service("web")))
    assert len(list(await _held(small))) == 1


async def test_families_come_with_a_release() -> None:
    settings = CoreSettings(release=release_of("1.20"))
    async with Core(MemoryStore(), SystemClock(), settings=settings) as core:
        made = read(await core.as_identity(ADMIN).write(Create(service("web"))))
        assert not made.spec.ip_families
        assert made.spec.cluster_ip
