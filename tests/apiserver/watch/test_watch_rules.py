"""api-conventions.md section 5, watches: every change once and in order, selector transitions, resume, Expired."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane_apiserver.core import ADMIN, Core, CoreSettings
from rollplane_apiserver.store.interface import Mutation, Require, Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery import kinds
from rollplane_machinery.api import Bind, Create, ListQuery, WatchEvent, WatchFilter, WatchQuery
from rollplane_machinery.clock import FakeClock, SystemClock
from rollplane_machinery.errors import BadRequestError, ExpiredError, UnavailableError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.shards import shard_of
from tests.apiserver.core.office import CountingStore, Office, as_type, config_map, deployment, key_of, namespace, pod
from tests.apiserver.watch.switchable import SwitchableStore
from tests.apiserver.watch.watching import shown, until, watching


async def change(office: Office, message: ConfigMap, value: str) -> ConfigMap:
    return await office.patch(message, f'{{"data":{{"k":"{value}"}}}}')


async def test_every_change_after_the_revision_once_and_in_order(office: Office) -> None:
    made = await office.create(config_map("a"))
    since = int(made.metadata.resource_version)
    await change(office, made, "1")
    await office.create(config_map("b"))
    last = (await office.delete(made)).revision
    async with office.api.watch(watching(kinds.CONFIG_MAP, since=since)) as batches:
        assert await until(batches, last) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]


async def test_without_revision_a_watch_begins_now(office: Office) -> None:
    await office.create(config_map("before"))
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as batches:
        made = await office.create(config_map("after"))
        assert await until(batches, int(made.metadata.resource_version)) == [("ADDED", "after")]


async def test_initial_state_then_what_follows(office: Office) -> None:
    await office.create(config_map("a"))
    async with office.api.watch(watching(kinds.CONFIG_MAP, initial=True)) as batches:
        made = await office.create(config_map("b"))  # after the watch was opened: not part of the initial state
        first = await anext(batches)
        assert (shown(first), first.initial_state_complete) == ([("ADDED", "a")], True)
        assert 0 < first.revision < int(made.metadata.resource_version)
        assert await until(batches, int(made.metadata.resource_version)) == [("ADDED", "b")]


async def test_initial_state_comes_in_batches_that_tell_no_revision(office: Office) -> None:
    for number in range(9):
        message = config_map(f"c{number}")
        message.data["k"] = "x" * 1_000_000
        await office.create(message)
    async with office.api.watch(watching(kinds.CONFIG_MAP, initial=True)) as batches:
        parts = [await anext(batches)]
        while not parts[-1].initial_state_complete:
            parts.append(await anext(batches))
    assert len(parts) > 2
    assert [part.revision for part in parts[:-1]] == [0] * (len(parts) - 1)
    assert parts[-1].revision == office.core.revision
    assert [name for part in parts for _, name in shown(part)] == [f"c{n}" for n in range(9)]
    assert all(sum(len(e.object.value) for e in part.events) <= 3 * 1024 * 1024 for part in parts)


async def test_initial_state_of_nothing_is_one_empty_batch(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP, initial=True)) as batches:
        first = await anext(batches)
    assert (first.events, first.initial_state_complete) == ([], True)


async def test_list_then_watch_loses_nothing(office: Office) -> None:
    made = await office.create(config_map("a"))
    page = await office.api.list(ListQuery(kinds.CONFIG_MAP))
    changed = await change(office, made, "1")
    async with office.api.watch(watching(kinds.CONFIG_MAP, since=page.revision)) as batches:
        assert await until(batches, int(changed.metadata.resource_version)) == [("MODIFIED", "a")]


async def test_batches_are_cut_by_bytes_at_true_revisions(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as batches:
        revisions = []
        for number in range(9):
            message = config_map(f"c{number}")
            message.data["k"] = "x" * 1_000_000
            revisions.append(int((await office.create(message)).metadata.resource_version))
        told: list[str] = []
        while len(told) < 9:
            batch = await anext(batches)
            assert sum(len(e.object.value) for e in batch.events) <= 3 * 1024 * 1024
            told += [name for _, name in shown(batch)]
            assert batch.revision == revisions[len(told) - 1]
    assert told == [f"c{n}" for n in range(9)]


async def test_label_transitions(office: Office) -> None:
    made = await office.create(config_map("a", app="db"))
    async with office.api.watch(watching(kinds.CONFIG_MAP, label_selector="app=web")) as batches:
        await office.patch(made, '{"metadata":{"labels":{"app":"web"}},"data":{"k":"inside"}}')
        await office.patch(made, '{"data":{"k":"still"}}')
        left = await office.patch(made, '{"metadata":{"labels":{"app":"db"}},"data":{"k":"outside"}}')
        last = (await office.delete(made)).revision
        events: list[WatchEvent] = []
        reached = 0
        while reached < last:
            batch = await anext(batches)
            events, reached = [*events, *batch.events], batch.revision
    told = [(event.type.name, as_type(made, event.object).data["k"]) for event in events]
    assert told == [("ADDED", "inside"), ("MODIFIED", "still"), ("DELETED", "still")]
    gone = events[-1]
    assert gone.revision == int(left.metadata.resource_version)
    assert gone.object.parse().metadata.resource_version == str(gone.revision)


async def test_field_transitions(office: Office) -> None:
    made = await office.create(pod("a"))
    query = watching(kinds.POD, field_selector="spec.nodeName in (n1,n2)")
    unbound = watching(kinds.POD, field_selector="spec.nodeName=")
    async with office.api.watch(query) as mine, office.api.watch(unbound) as free:
        bound = await office.api.write(Bind(key_of(made), "n1"))
        assert await until(mine, bound.revision) == [("ADDED", "a")]
        assert await until(free, bound.revision) == [("DELETED", "a")]
        gone = await office.delete(made, grace_period_seconds=0)
        assert await until(mine, gone.revision) == [("DELETED", "a")]


async def test_deleted_carries_the_final_object_at_the_revision_of_the_deletion(office: Office) -> None:
    made = await office.create(config_map("a", app="web"))
    async with office.api.watch(watching(kinds.CONFIG_MAP, label_selector="app=web")) as batches:
        gone = await office.delete(made)
        (event,) = (await anext(batches)).events
    made.metadata.resource_version = str(gone.revision)
    assert event.object.parse() == made
    assert event.revision == gone.revision


async def test_filters_by_namespace_and_shard(office: Office) -> None:
    spaces = [f"team-{n}" for n in range(6)]
    async with (
        office.api.watch(watching(kinds.CONFIG_MAP, namespaces=("team-1", "team-4"))) as named,
        office.api.watch(watching(kinds.CONFIG_MAP, shards=(shard_of("team-2"),))) as sharded,
    ):
        for space in spaces:
            await office.create(namespace(space))
            made = await office.create(config_map(f"in-{space}", space))
        last = int(made.metadata.resource_version)
        assert await until(named, last) == [("ADDED", "in-team-1"), ("ADDED", "in-team-4")]
        same = [space for space in spaces if shard_of(space) == shard_of("team-2")]
        assert await until(sharded, last) == [("ADDED", f"in-{space}") for space in same]


def test_shards_are_stable() -> None:
    """Stored planes depend on these numbers."""
    assert [shard_of(name) for name in ("", "default", "kube-system", "team-1")] == [0, 31, 5, 9]


async def test_several_kinds_come_in_the_order_of_their_commits(office: Office) -> None:
    filters = (
        WatchFilter(kinds.POD),
        WatchFilter(kinds.CONFIG_MAP, label_selector="app=web"),
        WatchFilter(kinds.DEPLOYMENT),
    )
    async with office.api.watch(WatchQuery(filters)) as batches:
        await office.create(config_map("hidden"))
        await office.create(deployment("d"))
        await office.create(config_map("shown", app="web"))
        last = await office.create(pod("p"))
        told = await until(batches, int(last.metadata.resource_version))
    assert told == [("ADDED", "d"), ("ADDED", "shown"), ("ADDED", "p")]


async def test_filters_of_one_kind_are_alternatives(office: Office) -> None:
    filters = (
        WatchFilter(kinds.CONFIG_MAP, label_selector="app=web"),
        WatchFilter(kinds.CONFIG_MAP, label_selector="tier=front"),
    )
    async with office.api.watch(WatchQuery(filters, send_initial_state=True)) as batches:
        await anext(batches)
        made = await office.create(config_map("a", app="web", tier="front"))
        await office.patch(made, '{"metadata":{"labels":{"tier":"back"}}}')
        left = await office.patch(made, '{"metadata":{"labels":{"app":"db"}}}')
        told = await until(batches, int(left.metadata.resource_version))
    assert told == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_metadata_only_leaves_the_rest_out(office: Office) -> None:
    made = await office.create(deployment("a"))
    async with office.api.watch(watching(kinds.DEPLOYMENT, initial=True, metadata_only=True)) as batches:
        changed = await office.patch(made, '{"spec":{"replicas":3}}')
        events = [*(await anext(batches)).events, *(await anext(batches)).events]
    for event, full in zip(events, (made, changed), strict=True):
        bare = event.object.parse()
        assert bare.metadata == full.metadata
        assert [field.name for field, _ in bare.ListFields()] == ["metadata"]


async def test_progress_is_told_of_what_was_filtered_out(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP, label_selector="app=web")) as batches:
        made = await office.create(config_map("hidden"))
        async with asyncio.timeout(1):
            batch = await anext(batches)
    assert batch.events == []
    assert batch.revision == int(made.metadata.resource_version)


async def test_idle_watch_tells_nothing(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as batches:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25):
                await anext(batches)


async def test_an_idle_watcher_hears_that_we_are_alive() -> None:
    store = CountingStore()
    async with (
        Core(store, SystemClock(), settings=CoreSettings(idle_seconds=0.02)) as core,
        asyncio.timeout(5),
        Office(core, store, FakeClock()).api.watch(watching(kinds.POD)) as batches,
    ):
        for _ in range(3):
            batch = await anext(batches)
            assert (batch.events, batch.revision) == ([], core.revision)


async def test_progress_comes_soon_and_not_for_every_change() -> None:
    """Sooner than what an idle watcher hears, which would come to the same."""
    store = CountingStore()
    async with Core(store, SystemClock(), settings=CoreSettings(idle_seconds=600.0)) as core, asyncio.timeout(60):
        office = Office(core, store, FakeClock())
        async with office.api.watch(watching(kinds.POD)) as batches:
            for number in range(50):
                await office.create(config_map(f"c{number}"))
            batch = await anext(batches)
            assert batch.revision == core.revision


async def test_slow_watcher_falls_out_and_hears_expired() -> None:
    store = CountingStore()
    async with Core(store, SystemClock(), settings=CoreSettings(ring_bytes=64 * 1024)) as core:
        office = Office(core, store, FakeClock())
        async with office.api.watch(watching(kinds.CONFIG_MAP)) as batches:
            await office.create(config_map("a"))
            await anext(batches)
            await office.api.batch([Create(Encoded.of(config_map(f"c{n:03}"))) for n in range(500)])
            await office.api.list(ListQuery(kinds.CONFIG_MAP))
            with pytest.raises(ExpiredError, match="fell behind"):
                await anext(batches)


async def test_watch_from_before_the_ring_reads_the_log_and_then_the_ring() -> None:
    """A restarted apiserver has an empty ring: watchers resume all the same."""
    store = CountingStore()
    async with Core(store, FakeClock()) as first:
        office = Office(first, store, FakeClock())
        made = await office.create(config_map("a", app="db"))
        since = int(made.metadata.resource_version)
        await office.patch(made, '{"metadata":{"labels":{"app":"web"}}}')
        await office.create(config_map("b", app="web"))
    async with Core(store, FakeClock()) as second:
        office = Office(second, store, FakeClock())
        query = watching(kinds.CONFIG_MAP, since=since, label_selector="app=web")
        async with office.api.watch(query) as batches:
            assert await until(batches, second.revision) == [("ADDED", "a"), ("ADDED", "b")]
            made = await office.create(config_map("c", app="web"))
            assert await until(batches, int(made.metadata.resource_version)) == [("ADDED", "c")]


async def test_revision_that_left_the_log_is_expired() -> None:
    store = MemoryStore(log_entries=10)
    async with Core(store, FakeClock()) as first:
        api = first.as_identity(ADMIN)
        for number in range(50):
            await api.write(Create(Encoded.of(config_map(f"c{number}"))))
    async with (
        Core(store, FakeClock()) as second,
        second.as_identity(ADMIN).watch(watching(kinds.POD, since=6)) as batches,
    ):
        with pytest.raises(ExpiredError):
            await anext(batches)


async def test_revision_that_was_never_given_out_is_expired(office: Office) -> None:
    async with office.api.watch(watching(kinds.POD, since=10_000)) as batches:
        with pytest.raises(ExpiredError):
            await anext(batches)


async def test_restart_that_lost_nothing_ends_only_what_was_never_told(office: Office) -> None:
    made = await office.create(config_map("a"))
    page = await office.api.list(ListQuery(kinds.NAMESPACE, limit=1))
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as valid:
        office.store.jump(1_000_000)
        with pytest.raises(ExpiredError):
            async with office.api.watch(watching(kinds.CONFIG_MAP, since=500_000)):
                pass
        changed = await change(office, made, "after")
        assert int(changed.metadata.resource_version) > 1_000_000
        assert await until(valid, int(changed.metadata.resource_version)) == [("MODIFIED", "a")]
    rest = ListQuery(kinds.NAMESPACE, continue_token=page.continue_token)
    assert (await office.api.list(rest)).revision == page.revision


async def test_store_from_an_older_copy_reloads_the_cache_and_ends_what_it_made_void(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The cache had seen more than the store now remembers: nothing of that may be told any more."""
    store = SwitchableStore(MemoryStore())
    async with Core(store, SystemClock(), randomness=random.Random(1)) as core:
        api = core.as_identity(ADMIN)
        older = await copy_of(store.inner)
        for name in ("lost-1", "lost-2"):
            await api.write(Create(Encoded.of(config_map(name))))
        page = await api.list(ListQuery(kinds.CONFIG_MAP, limit=1))
        async with api.watch(watching(kinds.CONFIG_MAP)) as batches:
            older.jump(1_000_000)
            await store.switch(older)
            with pytest.raises((ExpiredError, UnavailableError)):
                await anext(batches)
        assert (await api.list(ListQuery(kinds.CONFIG_MAP))).objects == []
        assert "history was lost: reloading every object" in caplog.messages
        for void in (page.revision, page.revision - 1):
            with pytest.raises(ExpiredError):
                async with api.watch(watching(kinds.CONFIG_MAP, since=void)):
                    pass
        with pytest.raises(ExpiredError):
            await api.list(ListQuery(kinds.CONFIG_MAP, limit=1, continue_token=page.continue_token))


async def copy_of(store: Store) -> MemoryStore:
    """Return a store that remembers what ``store`` does now."""
    copy = MemoryStore()
    async with store.scan() as (_, chunks):
        found = [stored async for chunk in chunks for stored in chunk]
    for stored in sorted(found, key=lambda one: one.revision):
        await copy.commit([Mutation(stored.resource, stored.key, stored.value, Require.ABSENT)])
    return copy


async def test_ended_watches_end_resumably(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as batches:
        made = await office.create(config_map("a"))
        await office.api.list(ListQuery(kinds.CONFIG_MAP))
        office.core.end_watches()
        batch = await anext(batches)
        assert batch.revision == int(made.metadata.resource_version)
        with pytest.raises(UnavailableError):
            await anext(batches)


async def test_watchers_share_the_bytes(office: Office) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP)) as one, office.api.watch(watching(kinds.CONFIG_MAP)) as two:
        await office.create(config_map("a"))
        (first,), (second,) = (await anext(one)).events, (await anext(two)).events
    assert first.object.value is second.object.value


SENSELESS: dict[str, Callable[[], WatchQuery]] = {
    "no filter": lambda: WatchQuery(()),
    "negative revision": lambda: watching(kinds.POD, since=-1),
    "revision and initial state": lambda: watching(kinds.POD, since=5, initial=True),
    "label selector": lambda: watching(kinds.POD, label_selector="a=("),
    "field selector": lambda: watching(kinds.DEPLOYMENT, field_selector="spec.replicas=1"),
    "shard": lambda: watching(kinds.POD, shards=(64,)),
}


@pytest.mark.parametrize("query", SENSELESS.values(), ids=SENSELESS)
async def test_senseless_watches_are_bad_requests(office: Office, query: Callable[[], WatchQuery]) -> None:
    with pytest.raises(BadRequestError):
        async with office.api.watch(query()):
            pass


async def test_cache_loads_what_is_written_while_it_scans() -> None:
    """The scan is no snapshot: writes that come in between its chunks are neither lost nor doubled."""
    store = CountingStore()
    async with Core(store, FakeClock(), randomness=random.Random(1)) as first:
        office = Office(first, store, FakeClock())
        await office.api.batch([Create(Encoded.of(config_map(f"c{n:03}"))) for n in range(600)])

        async def disturb() -> None:
            for number in range(0, 600, 7):
                await office.delete(config_map(f"c{number:03}"))
                await office.create(config_map(f"d{number:03}"))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(disturb())
            async with Core(store, FakeClock(), randomness=random.Random(2)) as second:
                await asyncio.sleep(0)
                loaded = await second.as_identity(ADMIN).list(ListQuery(kinds.CONFIG_MAP))
                seen = await first.as_identity(ADMIN).list(ListQuery(kinds.CONFIG_MAP, min_revision=loaded.revision))
                assert loaded.revision <= seen.revision
    again = Core(store, FakeClock())
    async with again:
        page = await again.as_identity(ADMIN).list(ListQuery(kinds.CONFIG_MAP))
    assert len(page.objects) == 600
