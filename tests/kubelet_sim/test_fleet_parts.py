"""The fleet's small parts: what is due when, events that count up, addresses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import Event, ObjectReference
from rollplane_kubelet_sim.addresses import PODS_EACH, PodAddresses, node_address
from rollplane_kubelet_sim.due import DueTimes
from rollplane_kubelet_sim.events import EventRecorder
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_machinery.api import Update, Write
from rollplane_machinery.clock import FakeClock
from rollplane_rules.validation import validate_create


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 50)), max_size=40), st.integers(0, 50))
def test_a_key_is_due_once_at_its_earliest_time(asked: list[tuple[str, int]], now: int) -> None:
    due: DueTimes[str] = DueTimes()
    earliest: dict[str, int] = {}
    for key, at in asked:
        due.schedule(key, at)
        earliest[key] = min(at, earliest.get(key, at))
    taken = due.take(now, 100)
    assert sorted(taken) == sorted(key for key, at in earliest.items() if at <= now)
    assert [earliest[key] for key in taken] == sorted(earliest[key] for key in taken)
    assert due.earliest == min((at for at in earliest.values() if at > now), default=None)
    assert len(due) == len(earliest) - len(taken)


def test_what_is_taken_is_bounded_and_what_is_discarded_is_gone() -> None:
    due: DueTimes[str] = DueTimes()
    for key in "abcd":
        assert due.schedule(key, 1)
    assert not due.schedule("a", 2)
    due.discard("b")
    assert due.take(1, 2) == ["a", "c"]
    assert due.take(1, 2) == ["d"]
    assert (due.earliest, len(due)) == (None, 0)
    assert due.schedule("b", 5)
    assert due.take(4, 9) == []


def recorder() -> tuple[EventRecorder, list[Event]]:
    told: list[Event] = []

    def record(write: Write) -> bool:
        assert isinstance(write, Update)
        told.append(Event.FromString(write.object.value))
        return True

    return EventRecorder(record, FakeClock()), told


def test_the_same_event_counts_up_under_one_name() -> None:
    events, told = recorder()
    subject = ObjectReference(kind="Pod", api_version="v1", namespace="default", name="web", uid="u")
    for note in (Note("BackOff", "again", warning=True),) * 2 + (Note("BackOff", "other"),):
        events.emit(subject, note, host="node-0")
    assert [(event.count, event.type, event.message) for event in told] == [
        (1, "Warning", "again"),
        (2, "Warning", "again"),
        (1, "Normal", "other"),
    ]
    assert told[0].metadata.name == told[1].metadata.name != told[2].metadata.name
    assert (told[0].source.component, told[0].source.host) == ("kubelet", "node-0")


def test_events_of_long_names_and_messages_are_valid() -> None:
    events, told = recorder()
    name = "a" * 219 + "-" + "b" * 33
    events.emit(ObjectReference(kind="Pod", namespace="default", name=name, uid="u"), Note("Failed", "x" * 5_000))
    assert validate_create(told[0]) == []
    assert len(told[0].message) == 1024


def test_addresses_are_unique_while_held_and_rest_before_they_are_used_again() -> None:
    addresses = PodAddresses(3)
    addresses.hold("10.0.12.2")
    first, second = addresses.take(), addresses.take()
    assert (first, second) == ("10.0.12.1", "10.0.12.3")
    addresses.free(first)
    assert addresses.take() == "10.0.12.4"
    others = {addresses.take() for _ in range(PODS_EACH - 6)}
    assert len(others) == PODS_EACH - 6
    assert addresses.take() == first
    assert addresses.take() == ""


def test_nodes_have_addresses_by_number() -> None:
    assert [node_address(number) for number in (0, 255, 16_383)] == ["172.16.0.1", "172.16.1.0", "172.16.64.0"]
    assert not {PodAddresses(0).take()} & {PodAddresses(1).take()}
