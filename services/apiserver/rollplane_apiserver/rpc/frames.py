"""Watch events in wire form, made once for all watchers.

Ten watchers of one kind are told the same events, and the ring hands each of them the same ``WatchEvent``. Parts of a
message may be serialized apart and joined (protobuf merges what it reads), so an event's part is kept for the others.
"""

from __future__ import annotations

from collections import OrderedDict

from rollplane.api import v1 as pb
from rollplane_machinery.api import WatchBatch, WatchEvent
from rollplane_machinery.wire.reads import encode_watch_batch

_ENTRY_BYTES = 512  # the Python objects around one frame, and its event if the ring has let go of it


class Frames:
    """The parts of the last events that were sent, at most ``max_bytes`` of them; the oldest go first."""

    def __init__(self, max_bytes: int = 8 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        # By identity, which is cheaper than a hash of the content; holding the event keeps its identity its own.
        self._frames: OrderedDict[int, tuple[WatchEvent, bytes]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._frames)

    def response(self, batch: WatchBatch) -> bytes:
        """Return the serialized WatchResponse of ``batch``."""
        if not batch.revision or batch.initial_state_complete:
            return encode_watch_batch(batch).SerializeToString()  # initial state is made for one watcher alone
        parts = [self._frame(event) for event in batch.events]
        parts.append(pb.WatchResponse(revision=batch.revision).SerializeToString())
        return b"".join(parts)

    def _frame(self, event: WatchEvent) -> bytes:
        if (kept := self._frames.get(id(event))) is not None:
            return kept[1]
        frame = encode_watch_batch(WatchBatch((event,), 0)).SerializeToString()
        self._frames[id(event)] = event, frame
        self._bytes += len(frame) + _ENTRY_BYTES
        while self._bytes > self._max_bytes:
            _, (_, oldest) = self._frames.popitem(last=False)
            self._bytes -= len(oldest) + _ENTRY_BYTES
        return frame
