"""What the cache holds packed is listed, watched and written as before."""

from __future__ import annotations

from rollplane_machinery.api import ListQuery, WatchQuery
from rollplane_machinery.kinds import POD
from rollplane_machinery.packing import Packed
from tests.apiserver.core.office import Office, key_of, pod, ready
from tests.apiserver.watch.watching import Replica, watching

COUNT = 30


async def _at_rest(office: Office) -> None:
    """Have all objects of the cache packed, as if nobody had changed any for long."""
    cache = office.core.packable
    assert cache.settled() == []
    for key in cache.settled():
        cache.pack(key)
    entries = [cache.entry(POD, f"default/p{number:02}") for number in range(COUNT)]
    assert sum(entry is not None and isinstance(entry.held, Packed) for entry in entries) >= COUNT - 1


async def _initial_state(office: Office, query: WatchQuery) -> Replica:
    replica = Replica()
    async with office.api.watch(query) as batches:
        await replica.follow(batches, 1, initial=True)
    return replica


async def test_reads_and_writes_do_not_notice(office: Office) -> None:
    for number in range(COUNT):
        await office.create(pod(f"p{number:02}", app="web" if number % 2 else "db"))
    queries = [ListQuery(POD), ListQuery(POD, label_selector="app=web"), ListQuery(POD, limit=7)]
    before = [await office.api.list(query) for query in queries]
    watched = await _initial_state(office, watching(POD, initial=True))
    await _at_rest(office)
    assert [await office.api.list(query) for query in queries] == before
    assert (await _initial_state(office, watching(POD, initial=True))).objects == watched.objects
    changed = await office.update_status(ready(pod("p07")))
    assert await office.get(changed) == changed
    past = await office.api.list(ListQuery(POD, exact_revision=before[0].revision))
    assert past.objects == before[0].objects
    await office.delete(changed)
    assert key_of(changed).name not in await office.names(POD)


async def test_a_reload_begins_anew(office: Office) -> None:
    await office.create(pod("p00"))
    cache = office.core.packable
    cache.settled()
    assert [key for _, key in cache.settled() if "p00" in key] == ["default/p00"]
    await office.create(pod("p01"))
    assert cache.settled() == []
    assert [key for _, key in cache.settled()] == ["default/p01"]
