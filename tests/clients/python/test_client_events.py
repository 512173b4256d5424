"""docs/semantics/api-conventions.md section 12: folding, aggregation and the rate of Events."""

from __future__ import annotations

from rollplane.core.v1 import Event, ObjectReference
from rollplane_client.events import BURST, COMBINED, REFILL_SECONDS, SIMILAR_LIMIT, EventRecorder
from rollplane_machinery.api import Fence, Update, Write
from rollplane_machinery.clock import FakeClock
from rollplane_rules.validation import validate_create

FENCE = Fence("ns-1", 5)


class Recorded:
    """A recorder and what it has written."""

    def __init__(self, component: str = "replicaset-controller") -> None:
        self.clock = FakeClock()
        self.writes: list[Write] = []
        self.recorder = EventRecorder(self._record, component, self.clock)

    def _record(self, write: Write) -> bool:
        self.writes.append(write)
        return True

    def emit(self, message: str = "Created pod: a", *, reason: str = "SuccessfulCreate", uid: str = "u") -> None:
        subject = ObjectReference(kind="ReplicaSet", namespace="shop", name="set", uid=uid)
        self.recorder.emit(subject, reason, message, fence=FENCE)

    @property
    def events(self) -> list[Event]:
        found = []
        for write in self.writes:
            assert isinstance(write, Update)
            message = write.object.parse()
            assert isinstance(message, Event)
            found.append(message)
        return found

    @property
    def stored(self) -> dict[str, Event]:
        """Return what is stored in the end, by name: an event of the same name is the same event."""
        return {event.metadata.name: event for event in self.events}


async def test_what_an_event_looks_like() -> None:
    told = Recorded()
    told.emit()
    (event,) = told.events
    assert event.metadata.name.startswith("set.")
    assert int(event.metadata.name.removeprefix("set."), 16) // 10**9 == int(told.clock.now())
    assert (event.metadata.namespace, event.source.component) == ("shop", "replicaset-controller")
    assert (event.reason, event.message, event.type, event.count) == ("SuccessfulCreate", "Created pod: a", "Normal", 1)
    assert event.involved_object.uid == "u"
    assert event.first_timestamp.seconds == event.last_timestamp.seconds == int(told.clock.now())
    (write,) = told.writes
    assert write.options.fence == FENCE
    assert write.options.harmless_twice


async def test_identical_events_are_folded() -> None:
    told = Recorded()
    for _ in range(SIMILAR_LIMIT + 5):
        told.emit()
        await told.clock.advance(1)
    (event,) = told.stored.values()
    assert event.count == SIMILAR_LIMIT + 5
    assert event.last_timestamp.seconds - event.first_timestamp.seconds == SIMILAR_LIMIT + 4


async def test_different_events_of_one_moment_have_different_names() -> None:
    told = Recorded()
    for number in range(5):
        told.emit(f"Created pod: {number}")
    assert len(told.stored) == 5
    other = Recorded("replication-controller")
    other.emit("Created pod: 0")
    assert not told.stored.keys() & other.stored.keys(), "two components may speak of one object at one moment"


async def test_more_than_ten_similar_ones_are_combined() -> None:
    told = Recorded()
    for number in range(SIMILAR_LIMIT + 4):
        told.emit(f"Created pod: {number}")
    assert len(told.stored) == SIMILAR_LIMIT + 1
    (combined,) = [event for event in told.stored.values() if event.message.startswith(COMBINED)]
    assert (combined.message, combined.count) == (f"{COMBINED}Created pod: {SIMILAR_LIMIT + 3}", 4)


async def test_similar_ones_are_told_apart_again_after_ten_quiet_minutes() -> None:
    told = Recorded()
    for number in range(SIMILAR_LIMIT + 1):
        told.emit(f"Created pod: {number}")
    await told.clock.advance(601)
    told.emit("Created pod: later")
    assert told.events[-1].message == "Created pod: later"


async def test_other_reasons_and_other_objects_are_not_similar() -> None:
    told = Recorded()
    for number in range(SIMILAR_LIMIT):
        told.emit(f"Created pod: {number}")
    told.emit("Deleted pod: x", reason="SuccessfulDelete")
    told.emit("Created pod: x", uid="another")
    assert not [event for event in told.events if event.message.startswith(COMBINED)]


async def test_an_object_has_a_burst_then_one_event_in_five_minutes() -> None:
    told = Recorded()
    for _ in range(BURST + 7):
        told.emit()
    assert len(told.writes) == BURST
    told.emit(uid="another")
    assert len(told.writes) == BURST + 1, "one object cannot silence another"
    await told.clock.advance(REFILL_SECONDS)
    told.emit()
    told.emit()
    assert len(told.writes) == BURST + 2
    assert told.events[-1].count == BURST + 8, "dropped ones are counted"


def test_what_a_kubelet_says() -> None:
    told = Recorded("kubelet")
    subject = ObjectReference(kind="Pod", api_version="v1", namespace="default", name="web", uid="u")
    for message, type_ in (("again", "Warning"), ("again", "Warning"), ("other", "Normal")):
        told.recorder.emit(subject, "BackOff", message, type_=type_, host="node-0")
    assert [(event.count, event.type, event.message) for event in told.events] == [
        (1, "Warning", "again"),
        (2, "Warning", "again"),
        (1, "Normal", "other"),
    ]
    assert len(told.stored) == 2
    assert (told.events[0].source.component, told.events[0].source.host) == ("kubelet", "node-0")
    assert told.writes[0].options.fence is None


def test_parts_of_an_object_have_events_of_their_own_at_their_own_time() -> None:
    told = Recorded("kubelet")
    for field in ("spec.containers{a}", "spec.containers{b}"):
        subject = ObjectReference(kind="Pod", namespace="default", name="web", uid="u", field_path=field)
        told.recorder.emit(subject, "Started", "Container started", at=told.clock.now() - 5)
    assert len(told.stored) == 2
    event = told.events[0]
    assert event.involved_object.field_path == "spec.containers{a}"
    assert event.first_timestamp.seconds == event.last_timestamp.seconds == int(told.clock.now()) - 5


def test_events_of_long_names_and_messages_are_valid() -> None:
    told = Recorded()
    subject = ObjectReference(kind="Pod", namespace="default", name="a" * 219 + "-" + "b" * 33, uid="u")
    for number in range(SIMILAR_LIMIT + 1):
        told.recorder.emit(subject, "Failed", f"{number} {'x' * 5_000}")
    assert [validate_create(event) for event in told.events] == [[]] * (SIMILAR_LIMIT + 1)
    assert {len(event.message) for event in told.events} == {1024}
    assert told.events[-1].message.startswith(COMBINED)
