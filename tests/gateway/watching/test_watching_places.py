"""Watches of names and namespaces read one upstream: what each is told, and what it costs the others."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from rollplane_gateway.watching import opened
from rollplane_gateway.watching.places import Place, shared
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import CONFIG_MAP, POD
from tests.gateway.watching.asking import (
    ALL,
    collected,
    json_shape,
    make_watches,
    named,
    names,
    next_told,
    passed,
    question,
    settled,
    status_of_end,
    told,
)
from tests.gateway.watching.upstream import Log

LENGTH = 12

SHARED: dict[str, tuple[WatchFilter, Place]] = {
    "everything": (ALL, Place()),
    "a namespace": (WatchFilter(CONFIG_MAP, ("a",)), Place("a")),
    "a name": (WatchFilter(CONFIG_MAP, (), "", "metadata.name=x"), Place("", "x")),
    "one object": (WatchFilter(CONFIG_MAP, ("a",), "", "metadata.name==x"), Place("a", "x")),
    "a namespace among the fields": (WatchFilter(CONFIG_MAP, (), "", "metadata.namespace=a"), Place("a")),
    "the same twice": (WatchFilter(CONFIG_MAP, ("a",), "", "metadata.name=x,metadata.namespace=a,"), Place("a", "x")),
}


@pytest.mark.parametrize(("where", "place"), SHARED.values(), ids=SHARED)
def test_what_can_share(where: WatchFilter, place: Place) -> None:
    assert shared(where) == (ALL, place)


ALONE = {
    "labels": WatchFilter(CONFIG_MAP, ("a",), "app=web"),
    "what may change": WatchFilter(POD, (), "", "metadata.name=x,spec.nodeName=n"),
    "two names": WatchFilter(CONFIG_MAP, (), "", "metadata.name=x,metadata.name=y"),
    "two namespaces": WatchFilter(CONFIG_MAP, ("a",), "", "metadata.namespace=b"),
    "any of two namespaces": WatchFilter(CONFIG_MAP, ("a", "b")),
    "all but one": WatchFilter(CONFIG_MAP, (), "", "metadata.name!=x"),
    "some": WatchFilter(CONFIG_MAP, (), "", "metadata.name in (x,y)"),
    "no name": WatchFilter(CONFIG_MAP, (), "", "metadata.name="),
    "no selector": WatchFilter(CONFIG_MAP, (), "", "metadata.name"),
}


@pytest.mark.parametrize("where", ALONE.values(), ids=ALONE)
def test_what_has_an_upstream_of_its_own(where: WatchFilter) -> None:
    assert shared(where) == (where, Place())


async def test_each_is_told_its_own_by_one_upstream() -> None:
    log = Log(5)
    async with make_watches(log, FakeClock()) as watches:
        async with AsyncExitStack() as stack:
            shape = json_shape(watches)
            pieces = {
                number: await stack.enter_async_context(opened(watches, question(5, where=named(number)), shape))
                for number in range(6, 56)
            }
            everything = await stack.enter_async_context(opened(watches, question(5), shape))
            assert (log.open, watches.upstreams, watches.hubs, watches.readers) == (1, 1, 51, 51)
            log.grow(50)
            assert await next_told(everything, 50) == names(6, 55)
            for number, each in pieces.items():
                assert told(await anext(each)) == [f"c{number}"]
        await settled()
        assert (log.open, watches.upstreams, watches.hubs) == (0, 0, 0)


async def test_from_every_revision_and_at_every_moment_a_name_is_told_once() -> None:
    log, clock = Log(1), FakeClock()
    async with make_watches(log, clock) as watches, AsyncExitStack() as stack:
        shape = json_shape(watches)
        await stack.enter_async_context(opened(watches, question(1), shape))
        readers = []
        for now in range(1, LENGTH):
            for revision in range(1, now + 1):
                for number in range(1, LENGTH + 1):
                    asked = question(revision, where=named(number), timeout_seconds=10.0)
                    pieces = await stack.enter_async_context(opened(watches, asked, shape))
                    readers.append((revision, number, asyncio.ensure_future(collected(pieces))))
            log.grow()
            await settled()
        assert (log.open, watches.readers) == (1, len(readers) + 1)
        await passed(clock, 10)
        for revision, number, reading in readers:
            expected = [f"c{number}"] if number > revision else []
            assert told(b"".join(await reading)) == expected


async def test_a_bookmark_tells_where_the_upstream_is() -> None:
    """The first reader's object never changes; it is not woken for what the second is told."""
    log, clock = Log(4), FakeClock()
    async with make_watches(log, clock) as watches:
        shape = json_shape(watches)
        asked = question(4, where=named(99), bookmarks=True, timeout_seconds=90.0)
        async with opened(watches, asked, shape) as idle, opened(watches, question(4), shape) as busy:
            reading = asyncio.ensure_future(anext(idle))
            await settled()
            log.grow(3)
            assert await next_told(busy, 3) == names(5, 7)
            await passed(clock, 59)
            assert not reading.done()
            await passed(clock, 1)
            mark = json.loads(await reading)
            assert (mark["type"], mark["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", "7")


async def test_a_bookmark_is_never_ahead_of_what_was_told() -> None:
    """Both come due at once: the event that was not taken yet comes before the mark that is behind it."""
    log, clock = Log(4), FakeClock()
    async with make_watches(log, clock) as watches:
        asked = question(4, where=named(6), bookmarks=True, timeout_seconds=600.0)
        async with opened(watches, asked, json_shape(watches)) as pieces:
            reading = asyncio.ensure_future(anext(pieces))
            await passed(clock, 59)
            log.grow()
            await settled()
            await clock.advance(1)
            log.grow()
            seen = [json.loads(line) for line in (await reading).splitlines()]
            while len(seen) < 2:
                seen += [json.loads(line) for line in (await anext(pieces)).splitlines()]
            told = [(each["type"], int(each["object"]["metadata"]["resourceVersion"])) for each in seen]
            assert told in ([("BOOKMARK", 5), ("ADDED", 6)], [("ADDED", 6), ("BOOKMARK", 6)])


async def test_the_one_that_holds_most_expires_and_nobody_else() -> None:
    log, count = Log(1), 5_000
    async with make_watches(log, FakeClock(), feed_bytes=1 << 19) as watches:
        shape = json_shape(watches)
        async with (
            opened(watches, question(1, where=named(2)), shape) as small,
            opened(watches, question(1), shape) as slow,
            opened(watches, question(1, where=named(count + 1)), shape) as last,
        ):
            log.grow(count)
            assert told(await anext(last)) == [f"c{count + 1}"]
            assert told(await anext(small)) == ["c2"]
            assert (await status_of_end(slow)).items() >= {"code": 410, "reason": "Expired"}.items()


async def test_who_takes_what_comes_is_not_outrun_beside_one_with_nothing_to_take() -> None:
    log, count = Log(1), 5_000
    async with make_watches(log, FakeClock(), feed_bytes=1 << 19) as watches:
        shape = json_shape(watches)
        async with (
            opened(watches, question(1, where=named(99_999)), shape),
            opened(watches, question(1), shape) as quick,
        ):
            log.grow(count)
            assert await next_told(quick, count) == names(2, count + 1)


async def test_what_was_read_is_not_held() -> None:
    log, clock, count = Log(1), FakeClock(), 50
    async with make_watches(log, clock) as watches, AsyncExitStack() as stack:
        shape, readings = json_shape(watches), []
        for number in range(2, count + 2):
            asked = question(1, where=named(number), timeout_seconds=1.0)
            pieces = await stack.enter_async_context(opened(watches, asked, shape))
            readings.append(asyncio.ensure_future(collected(pieces)))
        log.grow(count)
        for _ in range(count):
            await settled()
        assert (watches.readers, watches.bytes) == (count, 0)
        await passed(clock, 1)
        assert [told(b"".join(await reading)) for reading in readings] == [[name] for name in names(2, count + 1)]


async def test_who_comes_from_long_ago_reads_alone_until_it_has_caught_up() -> None:
    log = Log(9)
    async with make_watches(log, FakeClock()) as watches:
        shape = json_shape(watches)
        async with opened(watches, question(2, where=named(5)), shape) as late:
            assert (watches.upstreams, log.queries[-1].filters) == (0, (named(5),))
            async with opened(watches, question(9, where=named(10)), shape) as present:
                assert watches.upstreams == 1
                assert told(await anext(late)) == ["c5"]
                log.grow()
                assert told(await anext(present)) == ["c10"]


async def test_who_is_expired_takes_nobody_along() -> None:
    log = Log(9)
    log.oldest = 5
    async with make_watches(log, FakeClock()) as watches:
        shape = json_shape(watches)
        async with (
            opened(watches, question(2), shape) as late,
            opened(watches, question(9), shape) as present,
        ):
            assert (await status_of_end(late))["code"] == 410
            log.grow()
            assert told(await anext(present)) == ["c10"]
