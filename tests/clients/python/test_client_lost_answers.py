"""A lost answer is never a second commit: a proxy drops answers, the store tells how often each write was made."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.grpc_api import GrpcApi, connect
from rollplane_machinery.api import (
    Create,
    Delete,
    EventType,
    ListQuery,
    Patch,
    PatchType,
    Preconditions,
    Update,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import AlreadyExistsError, NotAttemptedError
from rollplane_machinery.kinds import CONFIG_MAP, DEPLOYMENT, Encoded, Kind, metadata_of
from tests.clients.python.plane import Plane, config_map, create, deployment, everything, key, name_of, watched
from tests.clients.python.proxy import Proxy, running_proxy

OMIT = WriteOptions(omit_object=True)


@pytest.fixture
async def proxy(plane: Plane) -> AsyncIterator[Proxy]:
    async with running_proxy(plane.address) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: Proxy) -> AsyncIterator[GrpcApi]:
    """The Api through the proxy, connected."""
    async with connect(proxy.address, role="admin") as api:
        await api.list(ListQuery(CONFIG_MAP))
        yield api


@asynccontextmanager
async def writing(api: GrpcApi) -> AsyncIterator[BatchWriter]:
    backoff = Backoff(base_seconds=0.001, cap_seconds=0.01)
    writer = BatchWriter(api, clock=SystemClock(), backoff=backoff)
    task = asyncio.ensure_future(writer.run())
    try:
        yield writer
    finally:
        writer.close()
        await task


def owned(name: str, *, owner: str = "owner-uid") -> Create:
    message = config_map(name)
    message.metadata.owner_references.add(
        api_version="apps/v1", kind="ReplicaSet", name="owner", uid=owner, controller=True
    )
    return Create(Encoded.of(message), OMIT)


async def commits(plane: Plane, *, after: int, until: int) -> Counter[tuple[EventType, str]]:
    """Count what was committed to ConfigMaps behind ``after``, up to ``until``."""
    counts: Counter[tuple[EventType, str]] = Counter()
    query = WatchQuery(everything(CONFIG_MAP), from_revision=after)
    async with asyncio.timeout(10), plane.in_process().watch(query) as batches:
        async for batch in batches:
            counts.update((event.type, name_of(event.object)) for event in batch.events)
            if batch.revision >= until:
                break
    return counts


async def revision(plane: Plane) -> int:
    return (await plane.in_process().list(ListQuery(CONFIG_MAP))).revision


async def lose_answers(plane: Plane, proxy: Proxy, writes: int, kind: Kind = CONFIG_MAP) -> None:
    """Break the connections once ``writes`` more of ``kind`` have been committed unanswered."""
    query = WatchQuery(everything(kind), from_revision=await revision(plane))
    await asyncio.wait_for(watched(plane.in_process(), query, lambda seen: len(seen) >= writes), 10)
    proxy.cut()


def generated() -> Create:
    message = ConfigMap()
    message.metadata.namespace, message.metadata.generate_name = "default", "a-"
    return Create(Encoded.of(message), OMIT)


async def test_a_single_write_is_repeated_and_made_once(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    proxy.swallow_answers()
    losing = asyncio.ensure_future(lose_answers(plane, proxy, 1))
    result = await far.write(generated())
    await losing
    page = await far.list(ListQuery(CONFIG_MAP, namespace="default"))
    assert [int(metadata_of(found.value).resource_version) for found in page.objects] == [result.revision]


async def test_a_rollout_verb_is_repeated_and_made_once(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    start = await create(plane.in_process(), deployment("web"))
    proxy.swallow_answers()
    losing = asyncio.ensure_future(lose_answers(plane, proxy, 1, DEPLOYMENT))
    result = await far.pause(key(DEPLOYMENT, "web"))  # done twice it would be refused: it is paused already
    await losing
    assert result.revision > start


async def test_a_read_is_repeated(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    await create(plane.in_process(), config_map("a"))
    proxy.swallow_answers()
    reading = asyncio.ensure_future(far.get(key(CONFIG_MAP, "a")))
    await create(plane.in_process(), config_map("b"))
    proxy.cut()
    assert name_of(await asyncio.wait_for(reading, 10)) == "a"


async def test_a_write_waits_for_a_server_that_is_away_for_a_moment(plane: Plane) -> None:
    async with connect(plane.address, role="admin") as api:
        await plane.stop()
        writing = asyncio.ensure_future(create(api, config_map("a")))
        await asyncio.sleep(0)
        await plane.start()
        assert await asyncio.wait_for(writing, 10) > 0


async def test_the_writer_repeats_until_answered_and_commits_once(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    start = await revision(plane)
    async with writing(far) as writer:
        for turn in range(4):
            proxy.swallow_answers()
            losing = asyncio.ensure_future(lose_answers(plane, proxy, 25))
            answers = await writer.apply([owned(f"turn-{turn}-{number:02}") for number in range(25)])
            await losing
            assert {type(answer) for answer in answers} == {WriteResult}
            assert await revisions_are_real(plane, answers)
    counts = await commits(plane, after=start, until=await revision(plane))
    assert len(counts) == 100
    assert set(counts.values()) == {1}


async def revisions_are_real(plane: Plane, answers: Sequence[Answer]) -> bool:
    """Return whether each answer has the revision that some stored object has."""
    page = await plane.in_process().list(ListQuery(CONFIG_MAP))
    stored = {int(metadata_of(found.value).resource_version) for found in page.objects}
    return {answer.revision for answer in answers if isinstance(answer, WriteResult)} <= stored


async def test_a_repeated_deletion_by_uid_succeeds_once(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    api = plane.in_process()
    await create(api, config_map("a"))
    uid = metadata_of((await api.get(key(CONFIG_MAP, "a"))).value).uid
    start = await revision(plane)
    async with writing(far) as writer:
        proxy.swallow_answers()
        losing = asyncio.ensure_future(lose_answers(plane, proxy, 1))
        deletion = Delete(key(CONFIG_MAP, "a"), preconditions=Preconditions(uid=uid), options=OMIT)
        [answer] = await writer.apply([deletion])
        await losing
    assert isinstance(answer, WriteResult)
    # A gate that waits for this revision waits until the deletion has been seen.
    assert answer.revision > start
    counts = await commits(plane, after=start, until=await revision(plane))
    assert counts == {(EventType.DELETED, "a"): 1}


async def test_somebody_elses_object_of_that_name_is_not_our_success(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    """The answer that was lost was a refusal."""
    await plane.in_process().write(owned("a", owner="another-uid"))
    async with writing(far) as writer:
        proxy.swallow_answers()
        losing = asyncio.ensure_future(lose_answers(plane, proxy, 1))
        ours: Sequence[Write] = [owned("a"), owned("b")]
        answers = await writer.apply(ours)
        await losing
    assert [type(answer) for answer in answers] == [AlreadyExistsError, WriteResult]


async def test_every_kind_of_write_is_repeated_and_made_once(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    """Also those that done twice would do more: a generated name, an update without a version, an appending patch."""
    api = plane.in_process()
    await create(api, config_map("a"))
    await create(api, config_map("b"))
    start = await revision(plane)
    append = b'[{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/a"]}]'
    writes: list[Write] = [
        generated(),
        Update(Encoded.of(config_map("a", data="new")), OMIT),
        Patch(key(CONFIG_MAP, "b"), PatchType.JSON, append, options=OMIT),
    ]
    async with writing(far) as writer:
        proxy.swallow_answers()
        losing = asyncio.ensure_future(lose_answers(plane, proxy, 3))
        answers = await writer.apply(writes)
        await losing
    assert [type(answer) for answer in answers] == [WriteResult] * 3
    assert await revision(plane) == start + 3


async def test_a_repeated_group_stays_one(plane: Plane, proxy: Proxy, far: GrpcApi) -> None:
    """Its first write was refused, and nobody heard of it: the second is not made by the repeat either."""
    await create(plane.in_process(), config_map("a"))
    async with writing(far) as writer:
        proxy.swallow_answers()
        losing = asyncio.ensure_future(lose_answers(plane, proxy, 1))
        answers = await writer.apply([*(replace(owned(name), group="g") for name in ("a", "b")), owned("c")])
        await losing
    assert [type(answer) for answer in answers] == [AlreadyExistsError, NotAttemptedError, WriteResult]
