"""Shared frames say exactly what a message made for one watcher would say, and do not pile up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane.api import v1 as pb
from rollplane_apiserver.rpc.frames import Frames
from rollplane_machinery import kinds
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire.reads import decode_watch_batch

ENCODED = st.builds(Encoded, st.sampled_from(kinds.TYPED_KINDS), st.binary(max_size=200))
EVENTS = st.builds(WatchEvent, st.sampled_from(EventType), ENCODED, st.integers(1, 2**62))


@given(st.lists(EVENTS, min_size=1, max_size=8), st.data(), st.integers(1, 3000))
def test_every_watcher_reads_what_it_was_told(events: list[WatchEvent], data: st.DataObject, max_bytes: int) -> None:
    frames = Frames(max_bytes)
    for _ in range(6):
        told = data.draw(st.lists(st.sampled_from(events), max_size=6))
        batch = WatchBatch(told, data.draw(st.integers(0, 2**62)), data.draw(st.booleans()))
        assert decode_watch_batch(pb.WatchResponse.FromString(frames.response(batch))) == batch


def test_an_event_is_made_once_for_all() -> None:
    frames = Frames()
    event = WatchEvent(EventType.ADDED, Encoded(kinds.POD, b"x" * 1000), 5)
    assert frames.response(WatchBatch([event], 5)) == frames.response(WatchBatch([event], 5))
    assert len(frames) == 1


def test_only_so_many_are_kept() -> None:
    frames = Frames(max_bytes=50_000)
    for revision in range(1, 1000):
        event = WatchEvent(EventType.ADDED, Encoded(kinds.POD, bytes(500)), revision)
        frames.response(WatchBatch([event], revision))
    assert 10 < len(frames) < 50


def test_initial_state_is_not_kept() -> None:
    frames = Frames()
    event = WatchEvent(EventType.ADDED, Encoded(kinds.POD, b"x"), 5)
    frames.response(WatchBatch([event], 0))
    frames.response(WatchBatch([event], 9, initial_state_complete=True))
    assert len(frames) == 0
