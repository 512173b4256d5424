"""The invariants of all rollouts, held against everything that happens in a plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rollplane_machinery.api import WatchBatch, WatchEvent
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.invariants.checker import Violation
from rollplane_rehearsal.event_log import EventLog, Logged

_JUDGED = frozenset(WATCHED)


class Promises:
    """A checker that hears of every change as it is made."""

    def __init__(self, log: EventLog) -> None:
        self._checker = InvariantChecker()
        log.listen(self._take)

    def _take(self, change: Logged) -> None:
        if change.object.kind in _JUDGED:
            event = WatchEvent(change.type, change.object, change.revision)
            self._checker.feed(WatchBatch((event,), change.revision))

    @property
    def violations(self) -> Sequence[Violation]:
        """What was broken so far."""
        return self._checker.violations

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let whatever is written inside break a promise; check at the end that no owner is gone."""
        self._checker.rest()
        yield
        self._checker.check_at_rest()
        self._checker.stir()
