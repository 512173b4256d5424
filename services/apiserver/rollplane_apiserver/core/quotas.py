"""What writes take of the quotas of their namespaces.

Usage is what the objects say: those that the cache holds, and those that this process is writing itself (holds). What
other processes write meanwhile is the commit's to notice: a write that draws on a quota carries a reckoning, and is
refused as overtaken when another entered the namespace's ledger since. So no quota is exceeded, however many apiservers
there are, and none keeps counts that could go wrong. The status of a quota tells users; nothing is decided on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.known import Known
from rollplane_apiserver.core.quota_book import Book, Hold
from rollplane_apiserver.core.refusals import not_admitted
from rollplane_apiserver.store.interface import Reckoning
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.ring import RingEvent
from rollplane_machinery.api import EventType
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import (
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    RESOURCE_QUOTA,
    SERVICE,
    ApiObject,
    Kind,
)
from rollplane_rules.admission.quota import Quota, read_quota
from rollplane_rules.admission.tally import Tally
from rollplane_rules.registry.namespaces import is_sealed

_ALWAYS = 2**53
"""Above all revisions, and a number that every language holds exactly."""
GROWING = frozenset({SERVICE, PERSISTENT_VOLUME_CLAIM})
"""Kinds of which an update may take more than there was."""


class Quotas:
    """One core's; ``new_name`` gives names that no other process has.

    Books are kept as new as the cache by the events of its ring, from when their namespace is first asked about.
    """

    def __init__(self, cache: Cache, clock: Clock, new_name: Callable[[], str]) -> None:
        self._cache = cache
        self._clock = clock
        self._new_name = new_name
        self._reader = ""
        self._known = Known(cache, RESOURCE_QUOTA, read_quota)
        self._books: dict[str, Book] = {}
        self._holds: dict[tuple[str, str], list[Hold]] = {}  # by namespace, and uid of the object
        self._position = self._incarnation = 0

    def charge(self, kind: Kind, obj: ApiObject, old: ApiObject | None = None, base: int = 0) -> Hold | None:
        """Hold what ``obj`` takes, beyond what ``old``, stored at ``base``, does; None when that is nothing.

        Raises AdmissionRefusedError for what a quota does not allow. Costs next to nothing where there is no quota.
        """
        if not self._cache.count(RESOURCE_QUOTA):
            return None
        namespace = obj.metadata.namespace
        book = self._book(namespace)
        if book is None or not book.counts(kind):
            return None
        now = self._clock.now()
        asked = book.asked(kind, obj, old, now)
        if why := book.refusal(kind, obj, asked, now):
            self._refuse(obj, why)
        elif any(asked):
            hold = Hold(kind, obj, old, base, obj.metadata.uid, self._reckoning(namespace), self.drop, self.distrust)
            self._holds.setdefault((namespace, hold.uid), []).append(hold)
            book.hold(hold, asked)
            return hold
        return None

    def drop(self, hold: Hold) -> None:
        """Count ``hold`` no more."""
        if book := self._books.get(hold.namespace):
            book.drop(hold)
        others = [other for other in self._holds.pop((hold.namespace, hold.uid), ()) if other is not hold]
        if others:
            self._holds[hold.namespace, hold.uid] = others

    def distrust(self) -> None:
        """Go on as somebody else, to whom what was written up to now is another's: the commit tells what came of it."""
        self._reader = ""

    def revision(self, new: ApiObject, old: ApiObject | None = None) -> Reckoning | None:
        """Return what lets a quota, new or changed, overtake all that was decided before it."""
        if isinstance(new, StoredObject) and isinstance(old, StoredObject) and old.spec == new.spec:
            return None
        return Reckoning(new.metadata.namespace, self._new_name(), _ALWAYS)

    def _refuse(self, obj: ApiObject, why: str) -> None:
        """Raise, but for a namespace that takes nothing new anyway: of that the commit tells."""
        space = self._cache.entry(NAMESPACE, f"/{obj.metadata.namespace}")
        if space is None or not is_sealed(space.encoded.parse()):
            raise not_admitted(obj, why)

    def _reckoning(self, namespace: str) -> Reckoning:
        self._reader = self._reader or self._new_name()
        return Reckoning(namespace, self._reader, self._cache.revision)

    def _book(self, namespace: str) -> Book | None:
        quotas = self._known.of(namespace)
        if not quotas:
            return None
        self._catch_up()
        book = self._books.get(namespace)
        if book is None or book.quotas != quotas:
            book = self._books[namespace] = self._opened(namespace, quotas)
        return book

    def _opened(self, namespace: str, quotas: Sequence[Quota]) -> Book:
        book, now = Book(quotas, [Tally(quota) for quota in quotas]), self._clock.now()
        for kind in filter(book.counts, self._cache.kinds):
            for entry in self._cache.snapshot(kind, namespace):
                book.put(entry.key, kind, entry.encoded.parse(), now)
        for hold in [hold for (where, _), holds in self._holds.items() if where == namespace for hold in holds]:
            if self._shows(hold):
                self.drop(hold)
            else:
                book.hold(hold, book.asked(hold.kind, hold.obj, hold.old, now))
        return book

    def _shows(self, hold: Hold) -> bool:
        """Tell whether the cache has what ``hold`` is about, or what came instead."""
        entry = self._cache.entry(hold.kind, f"{hold.namespace}/{hold.obj.metadata.name}")
        return entry is not None and entry.revision > hold.base and entry.encoded.parse().metadata.uid == hold.uid

    def _catch_up(self) -> None:
        ring = self._cache.ring
        is_lost = ring.incarnation != self._incarnation or self._position < ring.first
        if is_lost or len(self._books) > 2 * self._cache.count(RESOURCE_QUOTA):
            self._books.clear()
        for event in ring.events(self._position, ring.end - self._position) if self._books else ():
            self._take(event)
        self._position, self._incarnation = ring.end, ring.incarnation

    def _take(self, event: RingEvent) -> None:
        namespace = event.key.partition("/")[0]
        book = self._books.get(namespace)
        if book is None or not book.counts(event.kind):
            return
        if event.type is EventType.DELETED:
            book.remove(event.key, event.kind)
            return
        obj = event.encoded.parse()
        book.put(event.key, event.kind, obj, self._clock.now())
        # The first change of the object behind what a hold was decided on is the one held for, or makes that stale.
        for hold in self._holds.get((namespace, obj.metadata.uid), ()):
            if event.revision > hold.base:
                self.drop(hold)
