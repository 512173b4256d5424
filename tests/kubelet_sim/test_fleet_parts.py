"""The fleet's small parts: what is due when, events that count up, addresses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane_kubelet_sim.addresses import PODS_EACH, PodAddresses, node_address
from rollplane_kubelet_sim.due import DueTimes


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
