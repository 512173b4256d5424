"""Events are kept for an hour: a sweep every five minutes drops those that were last seen before that.

They are listed, page by page, rather than watched: events are written all the time, and nobody here reads them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

from rollplane.core.v1 import Event
from rollplane_client.batch_writer import BatchWriter
from rollplane_client.work_queue import WorkQueue
from rollplane_machinery.api import Delete, Fence, Key, ListQuery, ObjectApi, Preconditions, WriteOptions
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import EVENT

log = logging.getLogger(__name__)

NAME = "event-expiry"
KEPT_SECONDS = 3600.0
SWEEP_SECONDS = 300.0
SWEEP = Key(EVENT, "", "")
"""The one key of the queue: all events."""


class EventExpiry:
    """Deletes old events; ``fence`` returns its shard's fence, None while another process owns it."""

    def __init__(self, api: ObjectApi, writer: BatchWriter, *, clock: Clock, fence: Callable[[], Fence | None]) -> None:
        self._api = api
        self._writer = writer
        self._clock = clock
        self._fence = fence
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Nothing: no event of the informer's concerns it."""

    def wake_all(self) -> None:
        """Sweep now, and from then on regularly."""
        self.queue.add(SWEEP)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while await self.queue.take():
            fence = self._fence()
            if fence is not None:
                await self._sweep(fence)
                self.queue.add_after(SWEEP, SWEEP_SECONDS)
            self.queue.done(SWEEP)

    async def _sweep(self, fence: Fence) -> None:
        """Delete what is too old, a page at a time; what fails is found again by the next sweep."""
        options = WriteOptions(NAME, fence=fence, omit_object=True)
        try:
            async for page in self._pages():
                await self._delete([event for event in page if self._is_old(event)], options)
        except RollplaneError as exc:
            log.warning("events not swept", extra={"reason": exc.reason, "detail": exc.message})

    async def _pages(self) -> AsyncIterator[list[Event]]:
        query = ListQuery(EVENT)
        while True:
            page = await self._api.list(query)
            yield [Event.FromString(encoded.value) for encoded in page.objects]
            if not page.continue_token:
                return
            query = ListQuery(EVENT, continue_token=page.continue_token)

    def _is_old(self, event: Event) -> bool:
        """Judge by when it was last seen; an event that does not say goes by its creation."""
        seen = max(event.last_timestamp.seconds, event.event_time.seconds) or event.metadata.creation_timestamp.seconds
        return seen + KEPT_SECONDS < self._clock.now()

    async def _delete(self, events: list[Event], options: WriteOptions) -> None:
        writes = [
            Delete(
                Key(EVENT, event.metadata.namespace, event.metadata.name),
                preconditions=Preconditions(resource_version=event.metadata.resource_version),
                options=options,
            )
            for event in events
        ]
        for write, answer in zip(writes, await self._writer.apply(writes), strict=True):
            # One that was seen again meanwhile has another version, and stays.
            if isinstance(answer, RollplaneError) and not isinstance(answer, NotFoundError | ConflictError):
                log.warning("event not deleted", extra={"object": str(write.key), "detail": answer.message})
