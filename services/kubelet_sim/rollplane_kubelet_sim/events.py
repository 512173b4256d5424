"""Events of simulated kubelets: best effort, never waited for; the same one again only counts up."""

from __future__ import annotations

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from rollplane.core.v1 import Event, ObjectReference
from rollplane.meta.v1 import Time
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_machinery.api import Update, Write, WriteOptions
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Encoded

COMPONENT = "kubelet"
OPTIONS = WriteOptions(COMPONENT, omit_object=True)
LONGEST_MESSAGE = 1024
LONGEST_NAME = 220
"""What of a subject's name an event's name may take; the rest is for time and number."""
REMEMBERED = 4096
"""How many events are known well enough to count them up."""


@dataclass(slots=True)
class _Told:
    """One event as last written."""

    name: str
    first: float
    count: int = 0


class EventRecorder:
    """Writes Events through a lane of low priority, which may drop them."""

    def __init__(self, record: Callable[[Write], bool], clock: Clock) -> None:
        self._record = record
        self._clock = clock
        self._number = itertools.count()
        self._told: OrderedDict[tuple[str, str, str], _Told] = OrderedDict()

    def emit(self, subject: ObjectReference, note: Note, host: str = "") -> None:
        """Write an event about ``subject`` as seen on ``host``."""
        now = self._clock.now()
        told = self._fold(subject, note, now)
        event = Event(
            involved_object=subject,
            reason=note.reason,
            message=note.message[:LONGEST_MESSAGE],
            type="Warning" if note.warning else "Normal",
            first_timestamp=Time(seconds=math.floor(told.first)),
            last_timestamp=Time(seconds=math.floor(now)),
            count=told.count,
        )
        event.metadata.name, event.metadata.namespace = told.name, subject.namespace or "default"
        event.source.component = COMPONENT
        if host:
            event.source.host = host
        self._record(Update(Encoded.of(event), OPTIONS))

    def _fold(self, subject: ObjectReference, note: Note, now: float) -> _Told:
        key = (subject.uid, note.reason, note.message)
        told = self._told.get(key)
        if told is None:
            name = subject.name[:LONGEST_NAME].rstrip("-.")
            # One pod has several events in one moment: their number makes the names differ.
            told = self._told[key] = _Told(f"{name}.{int(now * 1e6):x}{next(self._number):x}", now)
            if len(self._told) > REMEMBERED:
                self._told.popitem(last=False)
        else:
            self._told.move_to_end(key)
        told.count += 1
        return told
