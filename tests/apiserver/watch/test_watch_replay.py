"""The promise of a watch: replayed from any revision, with any filter, it gives exactly the list."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rollplane_apiserver.core import ADMIN, Core, CoreSettings
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Api,
    Bind,
    Create,
    Delete,
    Key,
    ListQuery,
    Patch,
    PatchType,
    WatchFilter,
    WatchQuery,
    Write,
)
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import Encoded, Kind
from tests.apiserver.core.office import config_map, namespace, pod
from tests.apiserver.watch.watching import Replica

SPACES = ("default", "team")
NAMES = ("a", "b", "c")
APPS = ("web", "db")
KINDS = (kinds.POD, kinds.CONFIG_MAP)

keys = st.builds(Key, st.sampled_from(KINDS), st.sampled_from(SPACES), st.sampled_from(NAMES))


def creating(key: Key, app: str) -> Create:
    message = (
        pod(key.name, key.namespace, app=app) if key.kind is kinds.POD else config_map(key.name, key.namespace, app=app)
    )
    return Create(Encoded.of(message))


def relabelling(key: Key, app: str | None) -> Patch:
    value = f'"{app}"' if app else "null"
    return Patch(key, PatchType.MERGE, f'{{"metadata":{{"labels":{{"app":{value}}}}}}}'.encode())


def annotating(key: Key, number: int) -> Patch:
    return Patch(key, PatchType.MERGE, f'{{"metadata":{{"annotations":{{"n":"{number}"}}}}}}'.encode())


writes = st.one_of(
    st.builds(creating, keys, st.sampled_from(APPS)),
    st.builds(relabelling, keys, st.sampled_from([*APPS, None])),
    st.builds(annotating, keys, st.integers(0, 3)),
    st.builds(Delete, keys, st.sampled_from([None, 0])),
    st.builds(
        Bind,
        st.builds(Key, st.just(kinds.POD), st.sampled_from(SPACES), st.sampled_from(NAMES)),
        st.sampled_from(["n1", "n2"]),
    ),
)


def filtering(kind: Kind, spaces: tuple[str, ...], labels: str, node: str) -> WatchFilter:
    return WatchFilter(kind, spaces, labels, node if kind is kinds.POD else "")


filters = st.builds(
    filtering,
    st.sampled_from(KINDS),
    st.sampled_from([(), ("team",)]),
    st.sampled_from(["", "app=web", "app!=web", "!app", "app in (web,db)"]),
    st.sampled_from(["", "spec.nodeName=n1", "spec.nodeName!=n1", "spec.nodeName in (n1,n2)"]),
)


@dataclass
class Watcher:
    """A client that watches one filter through whichever core it is told to."""

    where: WatchFilter
    replica: Replica = field(default_factory=Replica)

    async def sync(self, api: Api, revision: int) -> None:
        """Go on from where it stopped, up to ``revision``."""
        started = self.replica.revision > 0
        query = WatchQuery((self.where,), self.replica.revision, send_initial_state=not started)
        async with api.watch(query) as batches:
            await self.replica.follow(batches, revision, initial=not started)

    async def check(self, api: Api, revision: int) -> None:
        """Compare with the list."""
        spaces = self.where.namespaces or ("",)
        listed: dict[tuple[str, str, str], bytes] = {}
        for space in spaces:
            query = ListQuery(
                self.where.kind, space, self.where.label_selector, self.where.field_selector, min_revision=revision
            )
            for encoded in (await api.list(query)).objects:
                meta = encoded.parse().metadata
                listed[encoded.kind.resource, meta.namespace, meta.name] = encoded.value
        assert self.replica.objects == listed


@asynccontextmanager
async def cores(store: Store, count: int) -> AsyncIterator[list[Core]]:
    """Run cores on one store, eager to tell progress, so that no example waits for it."""
    eager = CoreSettings(progress_seconds=0.0)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Core(store, FakeClock(), randomness=random.Random(n), settings=eager))
            for n in range(count)
        ]


def run(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(scenario)


async def write_all(api: Api, some: Sequence[Write]) -> int:
    """Write what can be written; return a revision that holds it all."""
    results = await api.batch(some)
    return max((getattr(result, "revision", 0) for result in results), default=0)


@given(st.lists(st.lists(writes, max_size=12), min_size=1, max_size=6), filters, st.data())
@settings(max_examples=60)
def test_replay_from_any_revision_gives_the_list(
    rounds: list[list[Write]], where: WatchFilter, data: st.DataObject
) -> None:
    async def scenario() -> None:
        async with cores(MemoryStore(), 1) as (core,):
            api = core.as_identity(ADMIN)
            await api.write(Create(Encoded.of(namespace("team"))))
            snapshots = [await state_of(api, where)]
            for some in rounds:
                await write_all(api, some)
                snapshots.append(await state_of(api, where))
            start = data.draw(st.sampled_from(snapshots), label="start")
            end = snapshots[-1].revision
            async with api.watch(WatchQuery((where,), start.revision)) as batches:
                # One more write makes sure that there is something to tell.
                last = await api.write(Create(Encoded.of(namespace("end"))))
                await start.follow(batches, last.revision)
            assert start.objects == snapshots[-1].objects
            assert start.revision >= end

    run(scenario())


async def state_of(api: Api, where: WatchFilter) -> Replica:
    """Return the list as a replica that knows nothing else."""
    watcher = Watcher(where)
    async with api.watch(WatchQuery((where,), send_initial_state=True)) as batches:
        await watcher.replica.follow(batches, 0, initial=True)
    watcher.replica.last_event = watcher.replica.revision
    await watcher.check(api, watcher.replica.revision)
    return watcher.replica


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.lists(writes, max_size=8)), min_size=1, max_size=8),
    st.lists(filters, min_size=1, max_size=3),
)
@settings(max_examples=40)
def test_watchers_change_between_two_cores_without_missing_repeating_or_reordering(
    steps: list[tuple[int, int, list[Write]]], wheres: list[WatchFilter]
) -> None:
    """Each step writes through one core and resumes every watcher on one of the two."""

    async def scenario() -> None:
        async with cores(MemoryStore(), 2) as both:
            apis = [core.as_identity(ADMIN) for core in both]
            await apis[0].write(Create(Encoded.of(namespace("team"))))
            watchers = [Watcher(where) for where in wheres]
            for writer, reader, some in steps:
                await write_all(apis[writer], some)
                mark = await apis[writer].write(
                    Patch(Key(kinds.NAMESPACE, "", "team"), PatchType.MERGE, touch(watchers))
                )
                for watcher in watchers:
                    await watcher.sync(apis[reader], mark.revision)
                    await watcher.check(apis[1 - reader], mark.revision)

    run(scenario())


def touch(watchers: Sequence[Watcher]) -> bytes:
    """A patch that is another one each time."""
    return f'{{"metadata":{{"annotations":{{"at":"{watchers[0].replica.revision}"}}}}}}'.encode()


@given(st.lists(st.lists(writes, min_size=1, max_size=10), min_size=2, max_size=5), st.integers(1, 4))
@settings(max_examples=40)
def test_pages_give_the_list_of_their_revision(rounds: list[list[Write]], limit: int) -> None:
    """However the objects change between the pages, together they are the list at the first page's revision."""

    async def scenario() -> None:
        async with cores(MemoryStore(), 2) as (one, two):
            apis = [one.as_identity(ADMIN), two.as_identity(ADMIN)]
            await apis[0].write(Create(Encoded.of(namespace("team"))))
            await write_all(apis[0], rounds[0])
            whole = await apis[0].list(ListQuery(kinds.POD))
            page = await apis[0].list(ListQuery(kinds.POD, limit=limit, min_revision=whole.revision))
            found = list(page.objects)
            for number, some in enumerate(rounds[1:] * 10, 1):
                if not page.continue_token:
                    break
                await write_all(apis[0], some)
                query = ListQuery(kinds.POD, limit=limit, continue_token=page.continue_token)
                page = await apis[number % 2].list(query)
                found += page.objects
            if not page.continue_token:
                assert [encoded.value for encoded in found] == [encoded.value for encoded in whole.objects]

    run(scenario())
