"""Seeing pods of one node go: one watch, however many of them are waited for."""

from __future__ import annotations

import asyncio

from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import Api, EventType, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import POD


class Departures:
    """Knows which pods are on ``node``. ``run`` must be running."""

    def __init__(self, api: Api, clock: Clock, node: str) -> None:
        self._api = api
        self._clock = clock
        self._filter = WatchFilter(POD, field_selector=f"spec.nodeName={node}")
        self._present: set[str] = set()
        self._known = False
        self._failure: RollplaneError | None = None
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Follow the node's pods until cancelled; what ends the watch is told to those who wait."""
        query = WatchQuery((self._filter,), send_initial_state=True)
        try:
            async with resumed_watch(self._api, query, self._clock) as batches:
                async for batch in batches:
                    self._take(batch)
                    self._announce()
        except RollplaneError as exc:
            self._failure = exc
            self._announce()

    async def gone(self, uid: str) -> None:
        """Wait until the pod with that uid is not there any more; raises what ended the watch."""
        while not self._known or uid in self._present:
            if self._failure is not None:
                raise self._failure
            await self._changed.wait()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _take(self, batch: WatchBatch) -> None:
        for event in batch.events:
            uid = event.object.parse().metadata.uid
            if event.type is EventType.DELETED:
                self._present.discard(uid)
            else:
                self._present.add(uid)
        self._known = self._known or batch.initial_state_complete
