"""The informer over a real apiserver: order, resume, reload, indexes, progress."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rollplane.core.v1 import ConfigMap
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.backoff import Backoff
from rollplane_client.gates import Gates
from rollplane_client.grpc_api import connect
from rollplane_client.informer import Informer
from rollplane_client.typed import parse
from rollplane_machinery.api import Delete, EventType, Key, ListQuery, ObjectApi, Update, WatchFilter
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import BadRequestError, NotFoundError
from rollplane_machinery.kinds import CONFIG_MAP, POD, Encoded, Kind
from tests.clients.python.plane import Plane, caught_up, config_map, create, key, pod, running_plane

ADDED, MODIFIED, DELETED = EventType.ADDED, EventType.MODIFIED, EventType.DELETED
Told = tuple[EventType, str, str | None, str | None]


def text_of(encoded: Encoded) -> str:
    message = encoded.parse()
    return message.data["text"] if isinstance(message, ConfigMap) else encoded.kind.name


def new_informer(api: ObjectApi, *kinds: Kind) -> Informer[str]:
    backoff = Backoff(base_seconds=0.001, cap_seconds=0.01)
    filters = [WatchFilter(kind, ("default",)) for kind in kinds or (CONFIG_MAP,)]
    return Informer(api, filters, text_of, clock=SystemClock(), backoff=backoff)


@asynccontextmanager
async def running(informer: Informer[str]) -> AsyncIterator[Informer[str]]:
    task = asyncio.ensure_future(informer.run())
    try:
        async with asyncio.timeout(20):
            yield informer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def record(informer: Informer[str], kind: Kind = CONFIG_MAP) -> list[Told]:
    """Return a list that fills with what a handler is told."""
    told: list[Told] = []
    informer.add_handler(kind, lambda event_type, found, old, new: told.append((event_type, found.name, old, new)))
    return told


async def change(api: ObjectApi, name: str, data: str) -> int:
    message = parse(ConfigMap, await api.get(key(CONFIG_MAP, name)))
    message.data["text"] = data
    return (await api.write(Update(Encoded.of(message)))).revision


async def remove(api: ObjectApi, name: str) -> int:
    return (await api.write(Delete(key(CONFIG_MAP, name)))).revision


async def listed(api: ObjectApi) -> dict[Key, str]:
    page = await api.list(ListQuery(CONFIG_MAP, namespace="default"))
    return {found.key: text_of(found) for found in page.objects}


async def test_initial_state_then_changes_in_order(plane: Plane) -> None:
    api = plane.in_process()
    await create(api, config_map("a", data="1"))
    informer = new_informer(api)
    told = record(informer)
    async with running(informer):
        await informer.synced.wait()
        assert told == [(ADDED, "a", None, "1")]
        await create(api, config_map("b", data="x"))
        await change(api, "a", "2")
        await caught_up(informer, await remove(api, "b"))
        assert told[1:] == [(ADDED, "b", None, "x"), (MODIFIED, "a", "1", "2"), (DELETED, "b", "x", None)]
        assert dict(informer.items(CONFIG_MAP)) == {key(CONFIG_MAP, "a"): "2"}
        assert informer.reloads == 1


async def test_handlers_find_the_change_in_the_cache(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api)
    seen: list[tuple[str | None, str | None]] = []
    informer.add_handler(CONFIG_MAP, lambda _type, found, _old, new: seen.append((informer.get(found), new)))
    async with running(informer):
        await create(api, config_map("a", data="1"))
        await change(api, "a", "2")
        await caught_up(informer, await remove(api, "a"))
    assert seen[-3:] == [("1", "1"), ("2", "2"), (None, None)]


async def test_bytes_are_kept(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api)
    async with running(informer):
        await caught_up(informer, await create(api, config_map("a", data="1")))
        assert informer.encoded(key(CONFIG_MAP, "a")) == await api.get(key(CONFIG_MAP, "a"))
        assert informer.encoded(key(CONFIG_MAP, "none")) is None


async def test_a_late_handler_is_told_what_is_there(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api)
    async with running(informer):
        await caught_up(informer, await create(api, config_map("a", data="1")))
        assert record(informer) == [(ADDED, "a", None, "1")]
    with pytest.raises(KeyError):
        record(informer, POD)


async def test_several_kinds_share_one_revision(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api, CONFIG_MAP, POD)
    order: list[str] = []
    for kind in (CONFIG_MAP, POD):
        informer.add_handler(kind, lambda _type, found, _old, _new: order.append(f"{found.kind.name} {found.name}"))
    async with running(informer):
        await informer.synced.wait()
        await create(api, config_map("a"))
        await create(api, pod("b"))
        await caught_up(informer, await create(api, config_map("c")))
        assert order[-3:] == ["ConfigMap a", "Pod b", "ConfigMap c"]


async def test_an_index_follows(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api)
    informer.add_index(CONFIG_MAP, "text", lambda view: (view,))
    async with running(informer):
        await create(api, config_map("a", data="x"))
        await caught_up(informer, await create(api, config_map("b", data="x")))
        assert {found.name for found in informer.indexed(CONFIG_MAP, "text", "x")} == {"a", "b"}
        await caught_up(informer, await change(api, "a", "y"))
        assert {found.name for found in informer.indexed(CONFIG_MAP, "text", "x")} == {"b"}
        assert informer.count(CONFIG_MAP) == 2


async def test_progress_opens_gates_also_without_events(plane: Plane) -> None:
    api = plane.in_process()
    informer = new_informer(api)
    gates: Gates[str] = Gates()
    opened: list[str] = []
    informer.on_progress(lambda revision: opened.extend(gates.reach(revision)))
    async with running(informer):
        await informer.synced.wait()
        revision = await create(api, pod("unseen"))
        gates.shut("key", revision)
        assert not gates.is_open("key")
        await caught_up(informer, revision)
        assert opened == ["key"]


async def test_what_no_repetition_can_mend_ends_it(plane: Plane) -> None:
    filters = [WatchFilter(CONFIG_MAP, label_selector="((")]
    informer = Informer(plane.in_process(), filters, text_of, clock=SystemClock())
    with pytest.raises(BadRequestError):
        await asyncio.wait_for(informer.run(), 10)


async def test_a_handler_that_fails_ends_it(plane: Plane) -> None:
    api = plane.in_process()
    await create(api, config_map("a"))
    informer = new_informer(api)

    def refuse(event_type: EventType, found: Key, old: str | None, new: str | None) -> None:
        raise ZeroDivisionError

    informer.add_handler(CONFIG_MAP, refuse)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(informer.run(), 10)


async def test_an_apiserver_that_is_killed_and_restarted_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with running_plane(listen=f"unix:{tmp_path}/api.sock") as plane, connect(plane.address, role="admin") as api:
        informer = new_informer(api)
        told = record(informer)
        async with running(informer):
            await informer.synced.wait()
            expected: list[Told] = []
            for turn in range(3):
                await create(plane.in_process(), config_map(f"before-{turn}"))
                await plane.stop()
                async with running_plane(plane.store) as elsewhere:
                    last = await create(elsewhere.in_process(), config_map(f"meanwhile-{turn}"))
                await plane.start()
                expected += [(ADDED, f"{when}-{turn}", None, "") for when in ("before", "meanwhile")]
                await caught_up(informer, last)
                assert told == expected
            assert informer.reloads == 1


async def test_a_reload_tells_the_difference_and_is_never_half_visible(tmp_path: Path) -> None:
    store = MemoryStore(log_entries=32)
    async with (
        running_plane(store, listen=f"unix:{tmp_path}/api.sock") as plane,
        connect(plane.address, role="admin") as api,
    ):
        for name in ("kept", "changed", "gone"):
            await create(api, config_map(name, data="1"))
        informer = new_informer(api)
        async with running(informer):
            await informer.synced.wait()
            told = record(informer)
            told.clear()
            states: list[dict[Key, str]] = []
            informer.add_handler(CONFIG_MAP, lambda *_: states.append(dict(informer.items(CONFIG_MAP))))
            states.clear()
            await plane.stop()
            async with running_plane(store) as elsewhere:
                await trim_the_log(elsewhere.in_process())
            await plane.start()
            expected = await listed(plane.in_process())
            await caught_up(informer, await store.revision())
            assert sorted(told, key=str) == sorted(
                [(DELETED, "gone", "1", None), (MODIFIED, "changed", "1", "100"), (ADDED, "new", None, "")], key=str
            )
            assert states == [expected] * 3
            assert informer.reloads == 2


async def trim_the_log(api: ObjectApi) -> None:
    await remove(api, "gone")
    await create(api, config_map("new"))
    for number in range(101):
        await change(api, "changed", str(number))


class InformerMachine(RuleBasedStateMachine):
    """Whatever happens to the objects, the watch and the log: cache, index and handlers agree with the list."""

    names = st.sampled_from("abcd")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.plane = Plane(MemoryStore(log_entries=8))
        self.loop.run_until_complete(self.plane.start())
        self.api = self.plane.in_process()
        self.informer = new_informer(self.api)
        self.informer.add_index(CONFIG_MAP, "text", lambda view: (view,))
        self.replayed: dict[Key, str] = {}
        self.informer.add_handler(CONFIG_MAP, self.replay)
        self.task = self.loop.create_task(self.informer.run())

    def replay(self, event_type: EventType, found: Key, old: str | None, new: str | None) -> None:
        assert self.replayed.get(found) == old
        assert (old is None, new is None) == (event_type is ADDED, event_type is DELETED)
        if new is None:
            del self.replayed[found]
        else:
            self.replayed[found] = new

    @rule(name=names, data=st.sampled_from("xyz"))
    def put(self, name: str, data: str) -> None:
        self.loop.run_until_complete(self._put(name, data))

    async def _put(self, name: str, data: str) -> None:
        try:
            await change(self.api, name, data)
        except NotFoundError:
            await create(self.api, config_map(name, data=data))

    @rule(name=names)
    def drop(self, name: str) -> None:
        try:
            self.loop.run_until_complete(remove(self.api, name))
        except NotFoundError:
            return

    @rule()
    def lose_the_watch(self) -> None:
        self.plane.core.end_watches()

    @rule(name=names, changes=st.integers(1, 12))
    def lose_the_watch_and_much_of_the_log(self, name: str, changes: int) -> None:
        """Far enough behind, the informer must reload."""
        self.plane.core.end_watches()
        for number in range(changes):
            self.loop.run_until_complete(self._put(name, f"many-{number}"))

    @rule()
    def catch_up(self) -> None:
        self.loop.run_until_complete(self._check())

    async def _check(self) -> None:
        async with asyncio.timeout(10):
            await caught_up(self.informer, await self.plane.store.revision())
        expected = await listed(self.api)
        assert dict(self.informer.items(CONFIG_MAP)) == expected
        for text in set(expected.values()):
            wanted = {found for found, view in expected.items() if view == text}
            assert set(self.informer.indexed(CONFIG_MAP, "text", text)) == wanted

    @invariant()
    def handlers_know_what_the_cache_knows(self) -> None:
        assert self.replayed == dict(self.informer.items(CONFIG_MAP))

    def teardown(self) -> None:
        try:
            self.loop.run_until_complete(self._check())
        finally:
            self.task.cancel()
            self.loop.run_until_complete(asyncio.gather(self.task, return_exceptions=True))
            self.loop.run_until_complete(self.plane.stop())
            self.loop.close()


InformerMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestInformer = InformerMachine.TestCase
