"""One upstream watch, and the hubs that what it tells is given to by the keys of objects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rollplane_gateway.watching.hub import Hub, Level, Reader
from rollplane_gateway.watching.places import EVERYWHERE, Place, places_of
from rollplane_machinery.api import WatchApi, WatchBatch, WatchEvent, WatchFilter, WatchQuery
from rollplane_machinery.errors import InternalError, Outcome, RollplaneError, UnavailableError

log = logging.getLogger(__name__)

_AHEAD_BYTES = 256 * 1024  # what is read ahead of the quickest reader


class Feed:
    """Reads what happens to the objects of ``where`` after ``revision``; its hubs hold what is yet to be read.

    It reads no faster than the quickest of all readers, and the hubs hold at most ``max_bytes`` for the others: beyond
    that the one that holds most loses its oldest.
    """

    def __init__(self, where: WatchFilter, revision: int, max_bytes: int) -> None:
        self.where = where
        self.hubs: dict[Place, Hub] = {}
        self._level = Level(revision)
        self._start = revision  # nothing has happened between here and the revision of the level
        self._max_bytes = max_bytes
        self._error: RollplaneError | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def revision(self) -> int:
        """Up to where the upstream was read."""
        return self._level.revision

    @property
    def bytes(self) -> int:
        """What the hubs hold together."""
        return self._level.bytes

    @property
    def readers(self) -> Iterable[Reader]:
        """All readers of all hubs."""
        return (reader for hub in self.hubs.values() for reader in hub.readers)

    def covers(self, place: Place, revision: int) -> bool:
        """Return whether who has read up to ``revision`` can go on here."""
        hub = self.hubs.get(place)
        return hub.covers(revision) if hub is not None else self._error is None and revision >= self._start

    def join(self, place: Place, revision: int) -> Reader:
        """Return a new reader at ``place`` of what follows ``revision``, which must be covered."""
        hub = self.hubs.get(place)
        if hub is None:
            hub = self.hubs[place] = Hub(place, self._level, self._start)
        return hub.join(revision)

    def leave(self, reader: Reader) -> None:
        """Forget ``reader``, and its hub with the last one."""
        reader.hub.leave(reader)
        if not reader.hub.readers:
            del self.hubs[reader.hub.place]

    async def opened(self) -> None:
        """Wait until the upstream watch is open; raises what kept it from that."""
        await asyncio.shield(self._opened)

    async def run(self, api: WatchApi) -> None:
        """Read the upstream until it ends or the task is cancelled."""
        try:
            async with api.watch(WatchQuery((self.where,), self.revision)) as batches:
                self._opened.set_result(None)
                async for batch in batches:
                    self.publish(batch)
                    await self._paced()
            self._end(UnavailableError("the server ended the watch; watch again", outcome=Outcome.NOT_SENT))
        except RollplaneError as exc:
            self._end(exc)
        except Exception as exc:
            log.exception("a watch ended by a defect")
            self._end(InternalError(f"a watch ended by a defect: {exc}"))
        finally:
            self._end(UnavailableError("watches are ended; watch again", outcome=Outcome.NOT_SENT))

    def publish(self, batch: WatchBatch) -> None:
        """Give each hub its share; who has none is not woken, and finds the revision when it asks for it."""
        if batch.events:
            for hub, events in self._shares(batch.events):
                hub.publish(replace(batch, events=events))
            self._start = batch.revision
            self._keep_bound()
        self._level.revision = batch.revision

    def _shares(self, events: Sequence[WatchEvent]) -> Iterable[tuple[Hub, Sequence[WatchEvent]]]:
        everywhere = self.hubs.get(EVERYWHERE)
        if everywhere is not None and len(self.hubs) == 1:
            return [(everywhere, events)]
        shares: dict[Hub, list[WatchEvent]] = {}
        for event in events:
            for place in places_of(event.object.key):
                if (hub := self.hubs.get(place)) is not None:
                    shares.setdefault(hub, []).append(event)
        return shares.items()

    def _keep_bound(self) -> None:
        while self._level.bytes > self._max_bytes:
            largest = max((hub for hub in self.hubs.values() if len(hub) > 1), key=_held, default=None)
            if largest is None:
                return
            largest.drop()

    async def _paced(self) -> None:
        """If much is held, give the readers a turn, and wait until somebody has read everything."""
        if self._level.bytes > _AHEAD_BYTES:
            await asyncio.sleep(0)
        while self._level.bytes > _AHEAD_BYTES and all(reader.is_behind for reader in self.readers):
            self._level.caught_up.clear()
            await self._level.caught_up.wait()

    def _end(self, error: RollplaneError) -> None:
        if self._error is not None:
            return
        self._error = error
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # somebody may have gone before being told
        for hub in self.hubs.values():
            hub.fail(error)


def _held(hub: Hub) -> int:
    return hub.bytes
