"""Events are kept for an hour, and no more than so many of them: a sweep drops those that were last seen before that.

There is a sweep every five minutes, or twelve in a shorter lifetime, and at once when a look at their number, twice a
minute, finds too many: then the oldest go, and the lifetime is for a while as long as there is room. They are listed,
page by page, rather than watched: events are written all the time, and nobody here reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

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

SWEEP_SECONDS = 300.0
COUNT_SECONDS = 30.0
ROOM = 0.9
"""The part of ``most`` that is left by a sweep that finds too many, so that the next one is a while off."""
SWEEP = Key(EVENT, "", "")
"""The one key: all events."""


@dataclass(frozen=True, slots=True)
class EventLimits:
    """Events go ``kept_seconds`` after they were last seen; of more than ``most`` the oldest go before that.

    Raises ValueError for limits that would keep nothing.
    """

    kept_seconds: float = 3600.0
    most: int = 100_000

    def __post_init__(self) -> None:
        if self.kept_seconds <= 0 or self.most < 1:
            raise ValueError(f"events are kept for {self.kept_seconds} s, {self.most} of them: want more than none")


DEFAULT_EVENT_LIMITS = EventLimits()


class EventExpiry(Reconciler):
    """Deletes old events, those of one page in a plan."""

    kind = EVENT
    name = "event-expiry"
    shard = CLUSTER

    def __init__(
        self, observer: Observer, api: ObjectApi, clock: Clock, limits: EventLimits = DEFAULT_EVENT_LIMITS
    ) -> None:
        super().__init__(observer)
        self._limits = limits
        self._sweep_seconds = min(SWEEP_SECONDS, limits.kept_seconds / 12)
        self._count_seconds = min(COUNT_SECONDS, self._sweep_seconds)
        self._api = api
        self._clock = clock
        self._token = self._next_token = ""
        """Where the sweep stands, and where it goes on once the page's deletions are answered."""
        self._due = 0.0
        """When the next sweep is due, by the monotonic clock, whatever their number."""
        self._crowded_before = 0.0
        """Events last seen before that are too many."""
        self._kept: Counter[int] = Counter()
        """Events that the sweep leaves, by the second they were last seen."""

    def attach(self, wake: Wake) -> None:
        """Nothing: no event of the informer's concerns it."""

    def all_keys(self) -> Iterable[Key]:
        return (SWEEP,)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        return self._look

    async def _look(self) -> Plan:
        """Look at one page; one that has expired meanwhile begins a new sweep."""
        if not self._token:
            if not await self._is_due():
                return Plan(requeue_after=self._count_seconds)
            self._kept.clear()
        try:
            page = await self._api.list(ListQuery(EVENT, continue_token=self._token))
        except ExpiredError:
            self._token = ""
            return Plan(retry=True)
        self._next_token = page.continue_token
        old = self._old(Event.FromString(encoded.value) for encoded in page.objects)
        if page.continue_token:
            return Plan(old, requeue_after=0.0)
        return Plan(old, requeue_after=self._conclude())

    async def _is_due(self) -> bool:
        """Tell whether it is time for a sweep, or there are too many to wait for that."""
        if self._clock.monotonic() >= self._due:
            return True
        page = await self._api.list(ListQuery(EVENT, limit=1))
        return len(page.objects) + page.remaining_item_count > self._limits.most

    def _old(self, events: Iterable[Event]) -> list[DeleteObject]:
        """Return the deletions of those that go, and count the others."""
        oldest = max(self._clock.now() - self._limits.kept_seconds, self._crowded_before)
        old = []
        for event in events:
            if (seen := _last_seen(event)) < oldest:
                old.append(_deletion(event))
            else:
                self._kept[seen] += 1
        return old

    def _conclude(self) -> float:
        """The last page is seen: return the seconds until the next look, none when too many are left."""
        self._due = self._clock.monotonic() + self._sweep_seconds
        if self._kept.total() <= self._limits.most:
            return self._count_seconds
        before, self._crowded_before = self._crowded_before, self._room_from()
        self._due = self._clock.monotonic()
        # Within one second they cannot be told apart: what that leaves too many goes a little later.
        return 0.0 if self._crowded_before > before else self._count_seconds

    def _room_from(self) -> int:
        """Return the second from which on there is room for all, at least the last one."""
        room = int(self._limits.most * ROOM)
        newest_first = sorted(self._kept, reverse=True)
        counts = accumulate(self._kept[second] for second in newest_first)
        fitting = [second for second, count in zip(newest_first, counts, strict=True) if count <= room]
        return fitting[-1] if fitting else newest_first[0]

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Go on behind this page; what could not be deleted is found again by the next sweep."""
        self._token = self._next_token


def _last_seen(event: Event) -> int:
    """Return when it was last seen, in seconds since the epoch; an event that does not say goes by its creation."""
    return max(event.last_timestamp.seconds, event.event_time.seconds) or event.metadata.creation_timestamp.seconds


def _deletion(event: Event) -> DeleteObject:
    """Delete the event as it was seen: one that was seen again meanwhile has another version, and stays."""
    metadata = event.metadata
    return DeleteObject(
        EVENT, metadata.namespace, metadata.name, metadata.uid, resource_version=metadata.resource_version
    )
