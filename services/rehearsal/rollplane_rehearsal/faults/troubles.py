"""What befalls those who call an Api, call by call: the answers of a server, or of a network, on a bad day.

Unlike ``network``, nothing here is left to dice: a test of somebody's retries says which calls fail, and how.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from rollplane_apiserver.core.session import Session
from rollplane_apiserver.rollout.edit import Change, Turns
from rollplane_apiserver.rollout.rollouts import Rollouts
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import (
    Create,
    Delete,
    DeleteCollection,
    DeletedCollection,
    Fence,
    Key,
    ListQuery,
    Page,
    Scale,
    Unreadable,
    WatchBatch,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    ExpiredError,
    Outcome,
    RollplaneError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import Encoded, Kind
from rollplane_rules.registry.preconditions import stale

T = TypeVar("T")


class AnswerLostError(UnavailableError, ConnectionError):
    """The write was made, and the connection broke before anybody could say so: over REST it is cut off."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    resource: str
    error: Callable[[Key], RollplaneError]
    is_done: bool = False
    strikes_changes_only: bool = False

    def strikes(self, kind: Kind, *, is_change: bool) -> bool:
        return self.resource in ("", kind.resource) and (is_change or not self.strikes_changes_only)


class Troubles:
    """The troubles that wait for the next writes; each strikes once, in the order they were asked for.

    ``resource``, such as ``deployments``, spares writes of other kinds.
    """

    def __init__(self) -> None:
        self._waiting: list[_Trouble] = []
        self._showing = asyncio.Event()
        self._showing.set()
        self._patience: set[asyncio.Timeout] = set()
        self._expiries = 0

    @property
    def left(self) -> int:
        """How many have not struck yet."""
        return len(self._waiting)

    def conflict(self, times: int = 1, resource: str = "") -> None:
        """Let the next ``times`` updates and patches meet somebody else's change: Conflict, 409."""
        self._add(times, _Trouble(resource, stale, strikes_changes_only=True))

    def busy(self, times: int = 1, retry_after_seconds: float = 1.0, resource: str = "") -> None:
        """Send the next ``times`` writes away, to come again after ``retry_after_seconds``: TooManyRequests, 429."""
        text = "too many requests, please try again later"

        def error(_: Key) -> RollplaneError:
            return TooManyRequestsError(text, outcome=Outcome.NOT_SENT, retry_after_seconds=retry_after_seconds)

        self._add(times, _Trouble(resource, error))

    def unavailable(self, times: int = 1, resource: str = "") -> None:
        """Make none of the next ``times`` writes, and say so: ServiceUnavailable, 503."""
        text = "the server is currently unable to handle the request"
        self._add(times, _Trouble(resource, lambda _: UnavailableError(text, outcome=Outcome.NOT_SENT)))

    def lose_answers(self, times: int = 1, resource: str = "") -> None:
        """Make the next ``times`` writes, and let nobody hear of it: over REST the connection breaks."""

        def error(_: Key) -> RollplaneError:
            return AnswerLostError("the connection broke", outcome=Outcome.OUTCOME_UNKNOWN)

        self._add(times, _Trouble(resource, error, is_done=True))

    def stall_watches(self, seconds: float | None = None) -> None:
        """Show nothing new in watches for ``seconds`` or until ``clear``; then all that happened meanwhile."""
        self._showing.clear()
        if seconds is not None:
            asyncio.get_running_loop().call_later(seconds, self._showing.set)

    def expire_watches(self) -> None:
        """End every watch as one whose revision is forgotten, so that who watches must list again: Expired, 410."""
        self._expiries += 1
        now = asyncio.get_running_loop().time()
        for each in self._patience:
            each.reschedule(now)

    def clear(self) -> None:
        """Let nothing befall anybody from now on."""
        self._waiting.clear()
        self._showing.set()

    def around(self, api: Session, clock: Clock) -> TroubledApi:
        """Return ``api`` as those have it whom all this befalls."""
        return TroubledApi(api, self, clock)

    def next_for(self, kind: Kind, *, is_change: bool) -> _Trouble | None:
        """Return what befalls a write that is made now, and let it wait no longer."""
        found = next((each for each in self._waiting if each.strikes(kind, is_change=is_change)), None)
        if found is not None:
            self._waiting.remove(found)
        return found

    async def shown(self, batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
        """Yield ``batches`` as they are shown; raises ExpiredError when watches expire."""
        expiries = self._expiries
        while (batch := await self._next(batches, is_over=self._expiries != expiries)) is not None:
            yield batch

    async def _next(self, batches: AsyncIterator[WatchBatch], *, is_over: bool) -> WatchBatch | None:
        """Return the next batch as soon as it is shown, None at the end; raises ExpiredError when watches expire."""
        try:
            async with asyncio.timeout(0.0 if is_over else None) as patience:
                self._patience.add(patience)
                try:
                    batch = await anext(batches, None)
                    await self._showing.wait()
                finally:
                    self._patience.discard(patience)
        except TimeoutError as exc:
            raise ExpiredError("too old resource version: the log no longer reaches back") from exc
        return batch

    def _add(self, times: int, trouble: _Trouble) -> None:
        self._waiting += [trouble] * times


class TroubledApi(Rollouts):
    """``api``, with what ``troubles`` has in store for those who write and watch. Reads are spared."""

    def __init__(self, api: Session, troubles: Troubles, clock: Clock) -> None:
        super().__init__(self, clock, Turns())
        self._api = api
        self._troubles = troubles

    async def get(self, key: Key) -> Encoded:
        return await self._api.get(key)

    async def entry(self, key: Key) -> Entry:
        return await self._api.entry(key)

    async def list(self, query: ListQuery) -> Page:
        return await self._api.list(query)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async with self._api.watch(query) as batches:
            yield self._troubles.shown(batches)

    async def write(self, write: Write) -> WriteResult:
        return await self._befallen(write.key, lambda: self._api.write(write), is_change=_is_change(write))

    async def edit(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> WriteResult:
        return await self._befallen(key, lambda: self._api.edit(key, change, options, subresource))

    async def scale(self, request: Scale) -> WriteResult:
        return await self._befallen(request.key, lambda: self._api.scale(request))

    async def made_before(self, key: Key, options: WriteOptions) -> WriteResult | None:
        return await self._api.made_before(key, options)

    async def batch(self, writes: Sequence[Write | Unreadable]) -> Sequence[WriteResult | RollplaneError]:
        troubles = [self._trouble_of(write) for write in writes]
        tried = [write for write, trouble in zip(writes, troubles, strict=True) if trouble is None or trouble.is_done]
        answers = iter(await self._api.batch(tried))
        return [_answer(trouble, write, answers) for trouble, write in zip(troubles, writes, strict=True)]

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        key = Key(request.kind, request.namespace, "")
        return await self._befallen(key, lambda: self._api.delete_collection(request), is_change=False)

    async def raise_fence(self, fence: Fence) -> None:
        await self._api.raise_fence(fence)

    def _trouble_of(self, write: Write | Unreadable) -> _Trouble | None:
        if isinstance(write, Unreadable):
            return None
        return self._troubles.next_for(write.key.kind, is_change=_is_change(write))

    async def _befallen(self, key: Key, call: Callable[[], Awaitable[T]], *, is_change: bool = True) -> T:
        trouble = self._troubles.next_for(key.kind, is_change=is_change)
        if trouble is None:
            return await call()
        if trouble.is_done:
            await call()
        raise trouble.error(key)


def _answer(
    trouble: _Trouble | None, write: Write | Unreadable, answers: Iterator[WriteResult | RollplaneError]
) -> WriteResult | RollplaneError:
    if trouble is None or isinstance(write, Unreadable):
        return next(answers)
    if trouble.is_done:
        next(answers)  # which nobody hears
    return trouble.error(write.key)


def _is_change(write: Write) -> bool:
    return not isinstance(write, Create | Delete)
