"""Gates: a key that wrote waits until the informer has seen it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane_client.gates import Gates


def test_a_key_that_never_wrote_is_open() -> None:
    assert Gates[str]().is_open("a")


def test_a_gate_opens_at_the_revision_of_the_last_write() -> None:
    gates = Gates[str]()
    gates.shut("a", 5)
    gates.shut("a", 9)
    gates.shut("a", 7)
    assert not gates.is_open("a")
    assert gates.reach(8) == []
    assert not gates.is_open("a")
    assert gates.reach(9) == ["a"]
    assert gates.is_open("a")
    assert len(gates) == 0


def test_a_write_that_has_been_seen_already_shuts_nothing() -> None:
    """As a write that changed nothing, which is answered with an old revision."""
    gates = Gates[str]()
    gates.reach(10)
    gates.shut("a", 10)
    assert gates.is_open("a")
    assert len(gates) == 0


def test_only_keys_that_asked_are_named() -> None:
    gates = Gates[str]()
    gates.shut("asked", 3)
    gates.shut("silent", 3)
    gates.is_open("asked")
    assert gates.reach(3) == ["asked"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30), st.booleans())))
def test_a_gate_is_open_exactly_when_all_its_writes_have_been_seen(steps: list[tuple[str, int, bool]]) -> None:
    gates = Gates[str]()
    highest: dict[str, int] = {}
    asked: set[str] = set()
    for key, revision, is_write in steps:
        if is_write:
            gates.shut(key, revision)
            highest[key] = max(revision, highest.get(key, 0))
        else:
            shut_before = {name for name, wanted in highest.items() if wanted > gates.reached}
            named = gates.reach(revision)
            opened = {name for name in shut_before if highest[name] <= gates.reached}
            assert set(named) == opened & asked
            assert len(named) == len(set(named))
            asked -= opened
        for name, wanted in highest.items():
            is_open = gates.is_open(name)
            assert is_open == (wanted <= gates.reached)
            if not is_open:
                asked.add(name)
