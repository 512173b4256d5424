"""Get, list and watch: from the cache once it is new enough, and from the store where one object is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from rollplane_apiserver.core import refusals
from rollplane_apiserver.core.continue_token import ContinueToken
from rollplane_apiserver.core.live import LiveReader
from rollplane_apiserver.core.step import placed
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.watch.cache import Cache, Snapshot
from rollplane_apiserver.watch.cursor import Cursor, CursorLimits
from rollplane_apiserver.watch.entry import Entry, view_of
from rollplane_apiserver.watch.filters import FilterSet, parse_filters
from rollplane_apiserver.watch.freshness import Freshness
from rollplane_apiserver.watch.slice import Slice
from rollplane_machinery.api import Key, ListQuery, Page, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded

_FRAME_BYTES = 64  # what an object takes on the wire beside its bytes


@dataclass(frozen=True, slots=True)
class Reads:
    """One core's reading side; ``page_bytes`` cuts a page."""

    store: Store
    cache: Cache
    freshness: Freshness
    live: LiveReader
    page_bytes: int
    cursor_limits: CursorLimits

    async def entry(self, key: Key) -> Entry:
        """Return the object as stored now; raises NotFoundError."""
        key = placed(key)
        entry = await self.live.one(key)
        if entry is None:
            raise refusals.not_found(key)
        return entry

    async def list(self, query: ListQuery) -> Page:
        """Return one page, on all pages of one list at the same revision."""
        if query.limit < 0:
            raise BadRequestError(f"limit is {query.limit}, want >= 0", resource=query.kind.resource)
        where = _filter_of(query)
        token = ContinueToken.parse(query) if query.continue_token else None
        revision = await self._settle_revision(query, token)
        snapshot = self.cache.snapshot(
            query.kind, query.namespace, revision=revision, after=token.after if token else ""
        )
        if where.selects(query.kind):
            return await self._selected(query, where, snapshot, revision)
        page = _PageMaker(query, self.page_bytes)
        for entry in snapshot:
            if not page.take(entry):
                return page.made(revision, len(snapshot) - len(page.objects))
        return page.made(revision)

    async def _settle_revision(self, query: ListQuery, token: ContinueToken | None) -> int:
        """Return the revision to answer at, once the cache holds it."""
        if query.min_revision and query.exact_revision:
            raise BadRequestError("a list is at least, or exactly, of a revision", resource=query.kind.resource)
        exact = token.revision if token is not None else query.exact_revision
        if exact:
            await self.freshness.check_history(exact)
            await self.freshness.at_least(exact)
            return exact
        if query.min_revision:
            await self.freshness.at_least(query.min_revision)
        else:
            await self.freshness.current()
        return self.cache.revision

    async def _selected(self, query: ListQuery, where: FilterSet, snapshot: Snapshot, revision: int) -> Page:
        page = _PageMaker(query, self.page_bytes)
        turn = Slice(where.terms)
        for entry in list(snapshot):
            if where.matches(query.kind, view_of(entry)) and not page.take(entry):
                return page.made(revision, more=True)
            if turn.is_over():
                await asyncio.sleep(0)
                turn = Slice(where.terms)
        return page.made(revision)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        """Open a watch; the position is taken now, not when the first batch is asked for."""
        cursor = await self._cursor(query)
        async with aclosing(cursor.batches()) as batches:
            yield batches

    async def _cursor(self, query: WatchQuery) -> Cursor:
        if not query.filters:
            raise BadRequestError("a watch needs at least one filter")
        if query.from_revision < 0 or (query.from_revision and query.send_initial_state):
            raise BadRequestError("from_revision must be 0 with initial state, and never negative")
        filters = parse_filters(query.filters)
        revision = query.from_revision
        if not 0 < revision <= self.cache.revision:
            # From now on; or from a revision that another apiserver told before our cache got there.
            current = await self.freshness.current()
            revision = revision or current
        if query.from_revision:
            # To say so at once: ring and log would tell it with the first batch.
            await self.freshness.check_history(query.from_revision)
        return Cursor(
            self.cache,
            self.store,
            filters,
            self.cursor_limits,
            revision=revision,
            initial_state=query.send_initial_state,
        )


class _PageMaker:
    """Gathers a page until its limits are reached."""

    def __init__(self, query: ListQuery, page_bytes: int) -> None:
        self._query = query
        self._left = page_bytes
        self._last = ""
        self.objects: list[Encoded] = []

    def take(self, entry: Entry) -> bool:
        """Add ``entry``; False when the page is full without it."""
        limit = self._query.limit
        encoded = entry.encoded
        size = len(encoded.value) + _FRAME_BYTES
        if self.objects and (size > self._left or len(self.objects) == limit):
            return False
        self._left -= size
        self._last = entry.key
        self.objects.append(encoded)
        return True

    def made(self, revision: int, remaining: int = 0, *, more: bool = False) -> Page:
        """Return the page; ``more`` says that objects follow, ``remaining`` how many, where that is known."""
        token = str(ContinueToken.of(self._query, revision, self._last)) if more or remaining else ""
        return Page(self.objects, revision, token, remaining)


def _filter_of(query: ListQuery) -> FilterSet:
    return parse_filters(
        (WatchFilter(query.kind, label_selector=query.label_selector, field_selector=query.field_selector),)
    )
