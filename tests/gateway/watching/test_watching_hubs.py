"""What watches share, how they end, and what they say as time passes: a log of the test's own, and a clock likewise."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from rollplane_gateway.watching import opened
from rollplane_gateway.watching.shapes import JsonShape
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import ExpiredError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import Encoded
from tests.gateway.watching.asking import (
    collected,
    json_shape,
    make_watches,
    names,
    next_told,
    passed,
    question,
    settled,
    status_of_end,
    told,
)
from tests.gateway.watching.upstream import Log

AWAY = UnavailableError("gone", outcome=Outcome.NOT_SENT)
LENGTH = 12


async def test_from_every_revision_and_at_every_moment_what_follows_is_told_once() -> None:
    log = Log(1)
    async with make_watches(log, FakeClock()) as watches, AsyncExitStack() as stack:
        readers = []
        for now in range(1, LENGTH):
            for revision in range(1, now + 1):
                pieces = await stack.enter_async_context(opened(watches, question(revision), json_shape(watches)))
                readers.append((revision, pieces))
            log.grow()
            assert await next_told(readers[0][1], 1) == [f"c{now + 1}"]
        for revision, pieces in readers[1:]:
            assert await next_told(pieces, LENGTH - revision) == names(revision + 1, LENGTH)
        assert watches.hubs == 1
    assert log.open == 0


async def test_who_asks_the_same_shares_one_upstream_until_the_last_has_left() -> None:
    log = Log(5)
    async with make_watches(log, FakeClock()) as watches:
        async with AsyncExitStack() as stack:
            shared = [
                await stack.enter_async_context(opened(watches, question(5), json_shape(watches))) for _ in range(10)
            ]
            assert (log.open, watches.hubs, watches.readers) == (1, 1, 10)
            log.grow(3)
            for pieces in shared:
                assert await next_told(pieces, 3) == names(6, 8)
        assert watches.readers == 0
        await settled()
        assert (log.open, watches.hubs, len(log.queries)) == (0, 0, 1)


async def test_the_state_is_read_apart_and_then_the_shared_upstream() -> None:
    log = Log(3)
    async with make_watches(log, FakeClock()) as watches:
        asked = question(initial=True, marks_initial_end=True, bookmarks=True)
        async with opened(watches, asked, json_shape(watches)) as pieces:
            assert await next_told(pieces, 4) == [*names(1, 3), "BOOKMARK"]
            log.grow()
            assert await next_told(pieces, 1) == ["c4"]
            assert log.open == 1


class Counted(JsonShape):
    """Counts what it renders."""

    def __init__(self) -> None:
        self.rendered = 0
        super().__init__(self._count)

    def _count(self, encoded: Encoded) -> bytes:
        self.rendered += 1
        return b'{"metadata":{"name":"x"}}'


async def test_an_event_is_rendered_once_for_all_of_one_shape() -> None:
    log, shape = Log(1), Counted()
    async with make_watches(log, FakeClock()) as watches, AsyncExitStack() as stack:
        shared = [await stack.enter_async_context(opened(watches, question(1), shape)) for _ in range(20)]
        log.grow(7)
        pieces = [await next_told(each, 7) for each in shared]
        assert (len(pieces), shape.rendered) == (20, 7)


async def test_who_reads_too_slowly_ends_with_expired_and_holds_up_nobody() -> None:
    """A reader that takes what comes is never outrun, however long the log that the hub is given at once."""
    log, count = Log(1), 5_000
    async with (
        make_watches(log, FakeClock(), feed_bytes=1 << 19) as watches,
        opened(watches, question(1), json_shape(watches)) as slow,
        opened(watches, question(1), json_shape(watches)) as quick,
    ):
        log.grow(count)
        assert await next_told(quick, count) == names(2, count + 1)
        assert (await status_of_end(slow)).items() >= {"code": 410, "reason": "Expired"}.items()


async def test_an_upstream_is_read_no_faster_than_by_the_quickest_reader() -> None:
    log, count = Log(1), 5_000
    async with (
        make_watches(log, FakeClock(), feed_bytes=1 << 24) as watches,
        opened(watches, question(1), json_shape(watches)) as first,
    ):
        log.grow(count)
        await settled()
        assert 0 < log.read < count
        async with opened(watches, question(1), json_shape(watches)) as second:
            assert await next_told(second, count) == names(2, count + 1)
        assert await next_told(first, count) == names(2, count + 1)


@pytest.mark.parametrize("initial", [False, True])
async def test_a_revision_that_is_no_longer_known_is_an_error_event(initial: bool) -> None:
    log = Log(5)
    async with (
        make_watches(log, FakeClock()) as watches,
        opened(watches, question(0 if initial else 5, initial=initial), json_shape(watches)) as pieces,
    ):
        if initial:
            await anext(pieces)
        log.fail(ExpiredError("compacted"))
        assert (await status_of_end(pieces)).items() >= {"code": 410, "reason": "Expired", "status": "Failure"}.items()


@pytest.mark.parametrize("initial", [False, True])
async def test_a_revision_that_is_not_known_at_first_is_an_error_event_too(initial: bool) -> None:
    """Libraries start again at an ERROR event, not at an answer 410."""
    log = Log(5)
    log.refusal = ExpiredError("compacted")
    async with (
        make_watches(log, FakeClock()) as watches,
        opened(watches, question(5, initial=initial), json_shape(watches)) as pieces,
    ):
        assert (await status_of_end(pieces)).items() >= {"code": 410, "reason": "Expired", "status": "Failure"}.items()


async def test_a_server_that_goes_away_ends_the_watch_without_a_word() -> None:
    log = Log(1)
    async with (
        make_watches(log, FakeClock()) as watches,
        opened(watches, question(1), json_shape(watches)) as pieces,
    ):
        log.fail(AWAY)
        assert [piece async for piece in pieces] == []
        # Who comes now gets an upstream of his own.
        async with opened(watches, question(1), json_shape(watches)):
            assert len(log.queries) == 2


async def test_a_defect_is_told_as_one() -> None:
    log = Log(1)
    async with (
        make_watches(log, FakeClock()) as watches,
        opened(watches, question(1), json_shape(watches)) as pieces,
    ):
        log.fail(ValueError("a defect"))
        assert (await status_of_end(pieces))["code"] == 500


@pytest.mark.parametrize("initial", [False, True])
async def test_what_keeps_a_watch_from_opening_is_raised(initial: bool) -> None:
    log = Log(1)
    log.refusal = AWAY
    async with make_watches(log, FakeClock()) as watches:
        with pytest.raises(UnavailableError):
            async with opened(watches, question(1, initial=initial), json_shape(watches)):
                pass
        await settled()
        assert (watches.hubs, watches.readers) == (0, 0)


async def test_leaving_the_watches_ends_them_all() -> None:
    log = Log(1)
    async with AsyncExitStack() as stack:
        async with make_watches(log, FakeClock()) as watches:
            pieces = await stack.enter_async_context(opened(watches, question(1), json_shape(watches)))
        assert [piece async for piece in pieces] == []
        with pytest.raises(RollplaneError):
            async with opened(watches, question(1), json_shape(watches)):
                pass


async def test_bookmarks_each_minute_and_just_before_the_end() -> None:
    log, clock = Log(4), FakeClock()
    async with (
        make_watches(log, clock) as watches,
        opened(watches, question(4, bookmarks=True, timeout_seconds=90.0), json_shape(watches)) as pieces,
    ):
        for seconds, revision in ((60, 5), (30, 6)):
            log.grow()
            assert told(await anext(pieces)) == [f"c{revision}"]
            reading = asyncio.ensure_future(anext(pieces))
            await passed(clock, seconds - 1)
            assert not reading.done()
            await passed(clock, 1)
            mark = json.loads(await reading)
            metadata = {"resourceVersion": str(revision), "creationTimestamp": None}
            assert mark == {
                "type": "BOOKMARK",
                "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata},
            }
        assert [piece async for piece in pieces] == []


async def test_no_bookmark_for_who_did_not_ask() -> None:
    log, clock = Log(4), FakeClock()
    async with (
        make_watches(log, clock) as watches,
        opened(watches, question(4, timeout_seconds=90.0), json_shape(watches)) as pieces,
    ):
        rest = asyncio.ensure_future(collected(pieces))
        await passed(clock, 90)
        assert await rest == []
