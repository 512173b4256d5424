"""What happened in a plane, change by change: every object as it was written, with its revision and the moment.

Two runs of the same scenario have the same log, byte for byte; its digest says so in one word.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, MutableSequence

from rollplane_apiserver.store.interface import Change
from rollplane_machinery.api import EventType
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Encoded, Kind, by_resource
from rollplane_rehearsal.virtual_time import set_within


@frozen
class Logged:
    """One change: ``at`` in virtual seconds of the loop; of a deleted object its last content.

    The object bears no resource version: ``revision`` is it.
    """

    at: float
    revision: int
    type: EventType
    object: Encoded

    def __str__(self) -> str:
        return f"{self.at!r} {self.revision} {self.type.name} {self.object.key}"


class EventLog:
    """All changes of one plane in their order, or the last ``most`` of them. ``seconds`` is the time of the loop.

    Listeners hear of each change at once, before whoever asked for it does.
    """

    def __init__(self, seconds: Callable[[], float], most: int | None = None) -> None:
        self._seconds = seconds
        self._entries: MutableSequence[tuple[float, Change]] = [] if most is None else deque(maxlen=most)
        self._listeners: list[Callable[[Logged], None]] = []
        self._hash = hashlib.sha256()
        self._moved = asyncio.Event()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Logged]:
        """Yield the changes so far, oldest first."""
        return (_logged(at, change) for at, change in self._entries)

    def of(self, *kinds: Kind) -> Iterator[Logged]:
        """Yield the changes of these kinds, oldest first."""
        resources = {kind.resource for kind in kinds}
        return (_logged(at, change) for at, change in self._entries if change.resource in resources)

    def listen(self, listener: Callable[[Logged], None]) -> None:
        """Call ``listener`` with each change from now on; it must not block."""
        self._listeners.append(listener)

    async def moved(self, seconds: float) -> None:
        """Wait for the next change, or for ``seconds``."""
        self._moved.clear()
        await set_within(self._moved, seconds)

    @property
    def digest(self) -> str:
        """The SHA-256 of the log in hexadecimal: equal for runs in which the same happened at the same moments."""
        return self._hash.hexdigest()

    def note(self, change: Change) -> None:
        """Put down a change."""
        at = self._seconds()
        value = change.value
        head = f"{at!r} {change.revision} {change.type.name} {change.resource} {change.key} {len(value)}\n"
        self._hash.update(head.encode() + value)
        self._entries.append((at, change))
        self._moved.set()
        if self._listeners:
            logged = _logged(at, change)
            for listener in self._listeners:
                listener(logged)


def _logged(at: float, change: Change) -> Logged:
    return Logged(at, change.revision, change.type, Encoded(by_resource(change.resource), change.value))
