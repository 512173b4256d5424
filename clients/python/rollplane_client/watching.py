"""Streams that outlive their connection: opened again where they were, until the server has been away too long.

An informer is built on this; who wants events and no cache uses it as it is.
"""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_machinery.api import WatchApi, WatchBatch, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    InternalError,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.frozen import frozen

T = TypeVar("T")

PASSING = (UnavailableError, TimedOutError, TooManyRequestsError, InternalError)
"""Errors after which a stream may be had again in a moment."""


DEFAULT_BACKOFF = Backoff()


@frozen
class Patience:
    """Waits between two tries, and how many seconds after a loss one that followed no sign of life is the last."""

    backoff: Backoff = DEFAULT_BACKOFF
    give_up_seconds: float = math.inf


ENDLESS = Patience()
BRIEF = Patience(Backoff(base_seconds=0.1, cap_seconds=1.0), give_up_seconds=30.0)
"""For people who wait: an apiserver that restarts is back by then."""


def is_passing(error: RollplaneError) -> bool:
    """Return whether a stream that ended so is worth another try."""
    return isinstance(error, PASSING)


@asynccontextmanager
async def resumed(
    open_stream: Callable[[], AbstractAsyncContextManager[AsyncIterator[T]]],
    clock: Clock,
    patience: Patience = ENDLESS,
    *,
    jitter: Jitter = no_jitter,
    may_resume: Callable[[RollplaneError], bool] = is_passing,
) -> AsyncIterator[AsyncIterator[T]]:
    """Open a stream that goes on over losses; leaving the context ends it.

    ``open_stream`` is called for each try and opens the stream where it is to go on: whoever reads keeps that place.
    It is called too after a stream that ended without an error, as a server's that goes away; who has read the last of
    a stream stops reading. ``may_resume`` is told of each loss. Raises the error of one that it refuses, or of the
    last one when the patience ends.
    """
    async with aclosing(_items(open_stream, clock, patience, jitter, may_resume)) as items:
        yield items


async def _items(
    open_stream: Callable[[], AbstractAsyncContextManager[AsyncIterator[T]]],
    clock: Clock,
    patience: Patience,
    jitter: Jitter,
    may_resume: Callable[[RollplaneError], bool],
) -> AsyncGenerator[T, None]:
    failures, lost_at = 0, 0.0
    while True:
        at_least = 0.0
        try:
            async with open_stream() as stream:
                async for item in stream:
                    failures = 0
                    yield item
        except RollplaneError as exc:
            lost_at = lost_at if failures else clock.monotonic()
            if not may_resume(exc) or clock.monotonic() - lost_at > patience.give_up_seconds:
                raise
            at_least = exc.retry_after_seconds or 0.0
        await clock.sleep(max(patience.backoff.seconds(failures, jitter), at_least))
        failures += 1


@asynccontextmanager
async def resumed_watch(
    api: WatchApi, query: WatchQuery, clock: Clock, patience: Patience = BRIEF
) -> AsyncIterator[AsyncIterator[WatchBatch]]:
    """Open a watch that goes on behind the last batch that was read.

    What is cut off while initial state is sent is sent from its beginning again. The iterator raises the last error
    when the server stays away, ExpiredError when its log no longer reaches back.
    """
    place = _Place(query)
    async with (
        resumed(lambda: api.watch(place.query), clock, patience) as batches,
        aclosing(place.follow(batches)) as followed,
    ):
        yield followed


class _Place:
    """Where a watch is to go on."""

    def __init__(self, query: WatchQuery) -> None:
        self.query = query

    async def follow(self, batches: AsyncIterator[WatchBatch]) -> AsyncGenerator[WatchBatch, None]:
        async for batch in batches:
            if batch.revision:
                self.query = replace(self.query, from_revision=batch.revision, send_initial_state=False)
            yield batch
