"""Events are kept for an hour: a sweep every five minutes drops those that were last seen before that.

They are listed, page by page, rather than watched: events are written all the time, and nobody here reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane.core.v1 import Event
from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Look, Reconciler, Wake
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_controller.shards import CLUSTER
from rollplane_machinery.api import Key, ListQuery, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ExpiredError
from rollplane_machinery.kinds import EVENT
from rollplane_planners.model import DeleteObject, Plan

KEPT_SECONDS = 3600.0
SWEEP_SECONDS = 300.0
SWEEP = Key(EVENT, "", "")
"""The one key: all events."""


class EventExpiry(Reconciler):
    """Deletes old events, those of one page in a plan."""

    kind = EVENT
    name = "event-expiry"
    shard = CLUSTER

    def __init__(self, observer: Observer, api: ObjectApi, clock: Clock) -> None:
        super().__init__(observer)
        self._api = api
        self._clock = clock
        self._token = self._next_token = ""
        """Where the sweep stands, and where it goes on once the page's deletions are answered."""

    def attach(self, wake: Wake) -> None:
        """Nothing: no event of the informer's concerns it."""

    def all_keys(self) -> Iterable[Key]:
        return (SWEEP,)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        return self._look

    async def _look(self) -> Plan:
        """List one page; one that has expired meanwhile begins a new sweep."""
        try:
            page = await self._api.list(ListQuery(EVENT, continue_token=self._token))
        except ExpiredError:
            self._token = ""
            return Plan(retry=True)
        self._next_token = page.continue_token
        events = (Event.FromString(encoded.value) for encoded in page.objects)
        old = [_deletion(event) for event in events if self._is_old(event)]
        return Plan(old, requeue_after=0.0 if page.continue_token else SWEEP_SECONDS)

    def _is_old(self, event: Event) -> bool:
        """Judge by when it was last seen; an event that does not say goes by its creation."""
        seen = max(event.last_timestamp.seconds, event.event_time.seconds) or event.metadata.creation_timestamp.seconds
        return seen + KEPT_SECONDS < self._clock.now()

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Go on behind this page; what could not be deleted is found again by the next sweep."""
        self._token = self._next_token


def _deletion(event: Event) -> DeleteObject:
    """Delete the event as it was seen: one that was seen again meanwhile has another version, and stays."""
    metadata = event.metadata
    return DeleteObject(
        EVENT, metadata.namespace, metadata.name, metadata.uid, resource_version=metadata.resource_version
    )
