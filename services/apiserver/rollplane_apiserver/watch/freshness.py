"""How new the cache must be for a read that has to be current, asked of the store as rarely as is honest."""

from __future__ import annotations

import asyncio

from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.errors import (
    Cause,
    CauseReason,
    ExpiredError,
    Outcome,
    RollplaneError,
    TimedOutError,
    UnavailableError,
)


class Freshness:
    """Brings readers up to the store's revision; ``run`` must be running.

    Readers that come while a question is on its way share the *next* one: the answer under way may be older than a
    write that was acknowledged before they came.
    """

    def __init__(self, store: Store, cache: Cache, timeout_seconds: float) -> None:
        self._store = store
        self._cache = cache
        self._timeout_seconds = timeout_seconds
        self._asking: list[asyncio.Future[int]] = []
        self._asked = asyncio.Event()

    async def current(self) -> int:
        """Wait until the cache holds every write acknowledged before the call; return the revision that took.

        Raises UnavailableError when the store, or the cache behind it, does not get there in time.
        """
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._asking.append(answer)
        self._asked.set()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                revision = await answer
                await self._cache.reached(revision)
        except TimeoutError as exc:
            raise UnavailableError("the watch cache lags behind the store", outcome=Outcome.NOT_SENT) from exc
        return revision

    async def at_least(self, revision: int) -> None:
        """Wait until the cache holds ``revision``; raises TimedOutError when that is not soon."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._cache.reached(revision)
        except TimeoutError as exc:
            cause = Cause(CauseReason.RESOURCE_VERSION_TOO_LARGE, "", "Too large resource version")
            message = f"Timeout: Too large resource version: {revision}, current: {self._cache.revision}"
            raise TimedOutError(message, causes=[cause], retry_after_seconds=1.0) from exc

    async def check_history(self, revision: int) -> None:
        """Raise ExpiredError when the store lost what was told under ``revision``, though others came after it."""
        for jump in await self._store.jumps():
            if jump.last < revision <= jump.to:
                lost = f"revision {revision} is void: {jump.story}"
                raise ExpiredError(lost)

    async def run(self) -> None:
        """Ask the store whenever somebody wants to know, one question at a time."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            asking, self._asking = self._asking, []
            try:
                _answer(asking, await self._ask())
            except RollplaneError as exc:
                _fail(asking, exc)
            finally:
                _fail(asking, UnavailableError("the server is stopping", outcome=Outcome.NOT_SENT))

    async def _ask(self) -> int:
        known = self._cache.revision
        revision = await self._store.revision()
        if revision < known:
            # The store came back from an older copy and the log reader has not noticed yet: what is cached may be gone.
            raise UnavailableError(f"the store went back from {known} to {revision}", outcome=Outcome.NOT_SENT)
        return revision


def _answer(asking: list[asyncio.Future[int]], revision: int) -> None:
    for answer in asking:
        if not answer.done():
            answer.set_result(revision)


def _fail(asking: list[asyncio.Future[int]], error: RollplaneError) -> None:
    for answer in asking:
        if not answer.done():
            answer.set_exception(error)
