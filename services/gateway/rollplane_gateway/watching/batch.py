"""Events that came together, and their bytes in each shape somebody wants them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from rollplane_gateway.watching.shapes import Shape
from rollplane_machinery.api import WatchBatch, WatchEvent

_EVENT_BYTES = 128  # the Python objects around one event


def _nobody_cares(_size: int) -> None:
    pass


class Batch:
    """One batch of an upstream watch; each shape of it is made once for all who read it.

    ``size`` is what it keeps alive in bytes; ``grew`` is told of what that becomes more. ``unread`` says how many are
    yet to read it.
    """

    __slots__ = ("_grew", "_shown", "completes_state", "events", "revision", "size", "unread")

    def __init__(self, batch: WatchBatch, grew: Callable[[int], None] = _nobody_cares, *, unread: int = 1) -> None:
        self.events: Sequence[WatchEvent] = batch.events
        self.revision = batch.revision
        self.completes_state = batch.initial_state_complete
        self.size = sum(len(event.object.value) + _EVENT_BYTES for event in batch.events)
        self.unread = unread
        self._shown: dict[Shape, bytes] = {}
        self._grew = grew

    def shown(self, shape: Shape, after: int = 0) -> bytes:
        """Return the bytes of the events after the revision ``after``."""
        if after and self.events and self.events[0].revision <= after:
            return show((event for event in self.events if event.revision > after), shape)
        shown = self._shown.get(shape)
        if shown is None:
            shown = self._shown[shape] = show(self.events, shape)
            self.size += len(shown)
            self._grew(len(shown))
        return shown

    def let_go(self) -> None:
        """Tell nobody any more of what it keeps alive."""
        self._grew = _nobody_cares


def show(events: Iterable[WatchEvent], shape: Shape) -> bytes:
    """Return the bytes of ``events``, one behind the other."""
    return b"".join([shape.event(event.type.name, event.object) for event in events])
