"""Events: what a controller did and why, for people. Best effort: never waited for, dropped under pressure.

Identical events are folded into one with a count, many similar ones into a combined one, and one object cannot flood
the rest (docs/semantics/api-conventions.md section 12).
"""

from __future__ import annotations

import math
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from rollplane.core.v1 import Event, ObjectReference
from rollplane.meta.v1 import Time
from rollplane_machinery.api import Fence, Update, Write, WriteOptions
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Encoded
from rollplane_planners.model import PlannedEvent

K = TypeVar("K")
V = TypeVar("V")

SIMILAR_LIMIT = 10
SIMILAR_SECONDS = 600.0
BURST = 25
REFILL_SECONDS = 300.0
REMEMBERED = 4096
COMBINED = "(combined from similar events): "


@dataclass(slots=True)
class _Told:
    """One event as last written."""

    name: str
    first: float
    count: int


@dataclass(slots=True)
class _Similar:
    """The messages, as far as they are told apart, of events alike in all else; ``last`` is when the last one came."""

    last: float
    messages: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Bucket:
    """Tokens of one object; each event takes one, one comes back every REFILL_SECONDS."""

    tokens: float
    at: float


class EventRecorder:
    """Writes Events through a lane of low priority; ``component`` names the controller that speaks."""

    def __init__(self, record: Callable[[Write], bool], component: str, clock: Clock) -> None:
        self._record = record
        self._component = component
        self._clock = clock
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()
        self._similar: OrderedDict[tuple[str, ...], _Similar] = OrderedDict()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._origin = zlib.crc32(component.encode()) % 1000
        self._micros = 0

    def emit(self, subject: ObjectReference, event: PlannedEvent, fence: Fence) -> None:
        """Write ``event`` about ``subject`` under ``fence``, folded with what was said before; may drop it.

        A dropped one is counted with the next that is alike.
        """
        now = self._clock.now()
        message = self._combined(subject, event, now)
        told = self._fold((subject.uid, event.reason, event.severity, message), subject, now)
        if self._take_token(subject.uid, now):
            self._write(subject, event, message, told, now, fence)

    def _write(
        self, subject: ObjectReference, event: PlannedEvent, message: str, told: _Told, now: float, fence: Fence
    ) -> None:
        body = Event(
            involved_object=subject,
            reason=event.reason,
            message=message,
            type=event.severity,
            first_timestamp=Time(seconds=math.floor(told.first)),
            last_timestamp=Time(seconds=math.floor(now)),
            count=told.count,
        )
        body.metadata.name, body.metadata.namespace = told.name, subject.namespace or "default"
        body.source.component = self._component
        self._record(Update(Encoded.of(body), WriteOptions(self._component, fence=fence, omit_object=True)))

    def _take_token(self, uid: str, now: float) -> bool:
        bucket = _remember(self._buckets, uid, lambda: _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) / REFILL_SECONDS)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _combined(self, subject: ObjectReference, event: PlannedEvent, now: float) -> str:
        key = (subject.uid, event.reason, event.severity)
        similar = _remember(self._similar, key, lambda: _Similar(now))
        if now - similar.last > SIMILAR_SECONDS:
            similar.messages.clear()
        similar.last = now
        if event.message in similar.messages:
            return event.message
        if len(similar.messages) >= SIMILAR_LIMIT:
            return f"{COMBINED}{event.message}"
        similar.messages.add(event.message)
        return event.message

    def _fold(self, key: tuple[str, ...], subject: ObjectReference, now: float) -> _Told:
        kept = (*key[:3], COMBINED) if key[3].startswith(COMBINED) else key
        told = _remember(self._told, kept, lambda: _Told(self._new_name(subject.name, now), now, 0))
        told.count += 1
        return told

    def _new_name(self, subject: str, now: float) -> str:
        """Return ``<object>.<hex time>``, another one each time: two names alike would be one event.

        The last three digits of the nanoseconds tell components apart, which may speak of one object at one moment.
        """
        self._micros = max(self._micros + 1, int(now * 1e6))
        return f"{subject}.{self._micros * 1000 + self._origin:x}"


def _remember(memory: OrderedDict[K, V], key: K, new: Callable[[], V]) -> V:
    """Return what is kept under ``key``, made anew if need be; the least recently used is forgotten beyond a bound."""
    value = memory.get(key)
    if value is None:
        value = memory[key] = new()
        if len(memory) > REMEMBERED:
            memory.popitem(last=False)
    else:
        memory.move_to_end(key)
    return value
