"""Events: what a component did and why, for people. Best effort: never waited for, dropped under pressure.

Identical events are folded into one with a count, many similar ones into a combined one, and one object cannot flood
the rest (docs/semantics/api-conventions.md section 12).
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from rollplane.core.v1 import Event, ObjectReference
from rollplane_machinery.api import Fence, Update, Write, WriteOptions
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.times import set_time

SIMILAR_LIMIT = 10
SIMILAR_SECONDS = 600.0
BURST = 25
REFILL_SECONDS = 300.0
REMEMBERED = 4096
"""Objects that are known; the least recently spoken of are forgotten."""
TOLD_EACH = 2 * SIMILAR_LIMIT
"""Events known of each object; the oldest are forgotten."""
COMBINED = "(combined from similar events): "
LONGEST_MESSAGE = 1024
LONGEST_NAME = 220
"""What of an object's name an event's name may take; the rest is for the time."""


@dataclass(slots=True)
class _Told:
    """One event as last written."""

    name: str
    first: float
    count: int = 0


@dataclass(slots=True)
class _Similar:
    """The messages, as far as they are told apart, of events alike in all else; ``last`` is when the last one came."""

    last: float
    messages: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Subject:
    """One object: a token goes with each event and comes back every REFILL_SECONDS.

    ``told`` are its events by reason, type, message and the part of the object they are about, ``similar`` those that
    may be combined by reason and type.
    """

    tokens: float
    at: float
    told: dict[tuple[str, str, str, str], _Told] = field(default_factory=dict)
    similar: dict[tuple[str, str], _Similar] = field(default_factory=dict)


class EventRecorder:
    """Writes Events through ``record``, a lane of low priority; ``component`` names who speaks."""

    def __init__(self, record: Callable[[Write], bool], component: str, clock: Clock) -> None:
        self._record = record
        self._component = component
        self._clock = clock
        self._subjects: OrderedDict[str, _Subject] = OrderedDict()
        self._options = WriteOptions(component, omit_object=True, harmless_twice=True)
        self._origin = zlib.crc32(component.encode()) % 1000
        self._micros = 0

    def emit(
        self,
        subject: ObjectReference,
        reason: str,
        message: str,
        *,
        type_: str = "Normal",
        host: str = "",
        fence: Fence | None = None,
        at: float | None = None,
    ) -> None:
        """Write an event about ``subject`` as seen on ``host``, folded with what was said before; may drop it.

        A dropped one is counted with the next that is alike. A message is cut at LONGEST_MESSAGE characters. A
        controller writes under its shard's ``fence``. ``at`` is when it happened (seconds), where that was not now.
        """
        now = self._clock.now()
        known = self._known(subject.uid, now)
        text, folded = _combined(known, reason, type_, message[:LONGEST_MESSAGE], now)
        kind_of_event = reason, type_, folded, subject.field_path
        happened = now if at is None else at
        told = known.told.get(kind_of_event)
        if told is None:
            told = known.told[kind_of_event] = _Told(self._new_name(subject.name, now), happened)
            if len(known.told) > TOLD_EACH:
                del known.told[next(iter(known.told))]
        told.count += 1
        if _take_token(known, now):
            event = _event(subject, reason, text, type_, told, happened)
            event.source.component = self._component
            if host:
                event.source.host = host
            self._record(Update(Encoded.of(event), self._options_under(fence)))

    def _known(self, uid: str, now: float) -> _Subject:
        """Return what is known of an object, nothing yet if need be; the least recently used is forgotten."""
        known = self._subjects.get(uid)
        if known is None:
            known = self._subjects[uid] = _Subject(BURST, now)
            if len(self._subjects) > REMEMBERED:
                self._subjects.popitem(last=False)
        else:
            self._subjects.move_to_end(uid)
        return known

    def _options_under(self, fence: Fence | None) -> WriteOptions:
        """Return the options of a write; the fence of a shard stays the same for many."""
        if fence != self._options.fence:
            self._options = WriteOptions(self._component, fence=fence, omit_object=True, harmless_twice=True)
        return self._options

    def _new_name(self, subject: str, now: float) -> str:
        """Return ``<object>.<hex time>``, another one each time: two names alike would be one event.

        The last three digits of the nanoseconds tell components apart, which may speak of one object at one moment.
        """
        self._micros = max(self._micros + 1, int(now * 1e6))
        return f"{subject[:LONGEST_NAME].rstrip('-.')}.{self._micros * 1000 + self._origin:x}"


def _event(subject: ObjectReference, reason: str, message: str, type_: str, told: _Told, now: float) -> Event:
    event = Event(involved_object=subject, reason=reason, message=message, type=type_, count=told.count)
    # Cheaper than handing in a message for each, and there is an event for every step of every pod.
    set_time(event.first_timestamp, told.first)
    set_time(event.last_timestamp, now)
    event.metadata.name, event.metadata.namespace = told.name, subject.namespace or "default"
    return event


def _combined(subject: _Subject, reason: str, type_: str, message: str, now: float) -> tuple[str, str]:
    """Return what is said, and under which message it is folded: both are ``message`` unless it is one of many."""
    similar = subject.similar.get((reason, type_))
    if similar is None:
        similar = subject.similar[reason, type_] = _Similar(now)
    if now - similar.last > SIMILAR_SECONDS:
        similar.messages.clear()
    similar.last = now
    if message not in similar.messages:
        if len(similar.messages) >= SIMILAR_LIMIT:
            return f"{COMBINED}{message}"[:LONGEST_MESSAGE], COMBINED
        similar.messages.add(message)
    return message, message


def _take_token(subject: _Subject, now: float) -> bool:
    subject.tokens = min(BURST, subject.tokens + (now - subject.at) / REFILL_SECONDS)
    subject.at = now
    if subject.tokens < 1:
        return False
    subject.tokens -= 1
    return True
