"""The judge itself: histories that could have happened, and histories that could not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.histories.calls import Act, Answer, Call, effect
from tests.histories.linearizability import is_linearizable
from tests.histories.watches import Seen, Watched, faults_of_effects, faults_of_watches, faults_of_writes


def call(act: Act, answer: Answer, start: float, end: float, mark: str = "", expected: str = "") -> Call:
    return Call(act, answer, start, end, mark, expected)


CREATE = call(Act.CREATE, Answer.DONE, 0, 1, "a")
LOST = call(Act.UPDATE, Answer.UNKNOWN, 2, 3, "b", "a")

POSSIBLE = {
    "nothing": [],
    "read what was made": [CREATE, call(Act.READ, Answer.DONE, 1, 2, "a")],
    "read while it is made": [CREATE, call(Act.READ, Answer.DONE, 0.5, 2, "")],
    "a lost update that was carried out": [CREATE, LOST, call(Act.READ, Answer.DONE, 4, 5, "b")],
    "a lost update that was not": [CREATE, LOST, call(Act.READ, Answer.DONE, 4, 5, "a")],
    "a lost update that came late": [
        CREATE,
        LOST,
        call(Act.READ, Answer.DONE, 4, 5, "a"),
        call(Act.READ, Answer.DONE, 6, 7, "b"),
    ],
    "of two updates one is refused": [
        CREATE,
        call(Act.UPDATE, Answer.DONE, 2, 4, "b", "a"),
        call(Act.UPDATE, Answer.CONFLICT, 2, 4, "c", "a"),
    ],
    "a deletion, and nothing there": [
        CREATE,
        call(Act.DELETE, Answer.DONE, 2, 3, "", "a"),
        call(Act.DELETE, Answer.ABSENT, 4, 5, "", "a"),
    ],
}
IMPOSSIBLE = {
    "read before it was made": [call(Act.READ, Answer.DONE, 0, 1, "a"), call(Act.CREATE, Answer.DONE, 2, 3, "a")],
    "a stale read": [
        CREATE,
        call(Act.UPDATE, Answer.DONE, 2, 3, "b", "a"),
        call(Act.READ, Answer.DONE, 4, 5, "a"),
    ],
    "two updates of one version": [
        CREATE,
        call(Act.UPDATE, Answer.DONE, 2, 4, "b", "a"),
        call(Act.UPDATE, Answer.DONE, 2, 4, "c", "a"),
    ],
    "a lost update that came, went and came again": [
        CREATE,
        LOST,
        call(Act.READ, Answer.DONE, 4, 5, "b"),
        call(Act.READ, Answer.DONE, 6, 7, "a"),
    ],
    "refused, though it was there": [CREATE, call(Act.UPDATE, Answer.ABSENT, 2, 3, "b", "a")],
    "made anew by an update": [
        CREATE,
        call(Act.DELETE, Answer.DONE, 2, 3, "", "a"),
        call(Act.UPDATE, Answer.DONE, 4, 5, "b", "a"),
    ],
}


@pytest.mark.parametrize("history", POSSIBLE.values(), ids=POSSIBLE)
def test_possible(history: list[Call]) -> None:
    assert is_linearizable(history)


@pytest.mark.parametrize("history", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible(history: list[Call]) -> None:
    assert not is_linearizable(history)


def recorded(seed: int, length: int) -> list[Call]:
    """Return a history that did happen: calls carried out one by one at moments inside their times, some unanswered."""
    chance = random.Random(seed)
    stored, history = "", []
    for number in range(length):
        moment, mark = float(number), f"m{number}"
        act = chance.choice(list(Act))
        wanted = chance.choice([stored, "", f"m{number - 2}"]) if act in (Act.UPDATE, Act.DELETE) else ""
        asked = Call(act, Answer.DONE, moment - chance.random() * 3, moment + chance.random() * 3, mark, wanted)
        answer = answer_to(asked, stored)
        mark = stored if act is Act.READ else mark
        was_lost = act is not Act.READ and chance.random() < 0.2
        if answer is Answer.DONE and act is not Act.READ:
            stored = effect(asked, stored) or ""
        history.append(Call(act, Answer.UNKNOWN if was_lost else answer, asked.start, asked.end, mark, wanted))
    return history


def answer_to(asked: Call, stored: str) -> Answer:
    if asked.act is Act.READ or effect(asked, stored) is not None:
        return Answer.DONE
    if asked.act is Act.CREATE:
        return Answer.EXISTS
    return Answer.CONFLICT if stored else Answer.ABSENT


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_what_happened_is_possible(seed: int, length: int) -> None:
    assert is_linearizable(recorded(seed, length))


def test_watches() -> None:
    first, second = Seen(5, "ADDED", "x", "a"), Seen(7, "MODIFIED", "x", "b")
    whole = Watched("whole", 0, 9, [first, second])
    assert list(faults_of_watches([whole, Watched("late", 5, 9, [second])])) == []
    assert list(faults_of_watches([whole, Watched("gap", 0, 9, [second])])) == [f"gap was not told {first}"]
    assert len(list(faults_of_watches([Watched("back", 0, 9, [second, first])]))) == 1
    other = Seen(7, "MODIFIED", "x", "c")
    assert len(list(faults_of_watches([whole, Watched("other", 0, 9, [first, other])]))) == 1
    twice = Seen(8, "MODIFIED", "x", "b")
    assert len(list(faults_of_effects(Watched("twice", 0, 9, [first, second, twice])))) == 1


def test_writes_that_were_acknowledged() -> None:
    watcher = Watched("whole", 0, 9, [Seen(5, "ADDED", "x", "a")])
    kept = Call(Act.CREATE, Answer.DONE, 0, 1, "a", revision=5)
    lost = Call(Act.UPDATE, Answer.DONE, 2, 3, "b", "a", revision=6)
    assert list(faults_of_writes({"x": [kept]}, watcher)) == []
    assert len(list(faults_of_writes({"x": [kept, lost]}, watcher))) == 1
