"""How one watch says things, in its shape."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.meta.v1 import ObjectMeta
from rollplane_gateway.statuses import status_of
from rollplane_gateway.watching.batch import Batch, show
from rollplane_gateway.watching.shapes import BOOKMARK, Shape
from rollplane_machinery.kinds import Encoded, Kind

_NO_ANNOTATIONS: Mapping[str, str] = {}


class Voice:
    """Remembers whether it has said something about an object before."""

    def __init__(self, kind: Kind, shape: Shape) -> None:
        self._kind = kind
        self._shape = shape

    def events(self, batch: Batch, after: int) -> bytes:
        """Return the events of ``batch`` after the revision ``after``."""
        shape = self._shape
        if shape.rest is shape:
            return batch.shown(shape, after)
        events = [event for event in batch.events if event.revision > after]
        if not events:
            return b""
        self._shape = shape.rest
        return show(events[:1], shape) + show(events[1:], shape.rest)

    def bookmark(self, revision: int, annotations: Mapping[str, str] = _NO_ANNOTATIONS) -> bytes:
        """Return a bookmark: an object with nothing but a version, and ``annotations``."""
        bare = self._kind.new()
        bare.metadata.CopyFrom(ObjectMeta(resource_version=str(revision), annotations=annotations))
        shape, self._shape = self._shape, self._shape.rest
        return shape.event(BOOKMARK, Encoded.of(bare))

    def error(self, error: Exception) -> bytes:
        """Return the event that ends the watch."""
        return self._shape.error(status_of(error))
