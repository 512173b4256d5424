"""Shrinking, and the faults it is done on: always smaller, never other than what breaks, and it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal.scenario.steps import read_step
from rollplane_rehearsal.search.faults import KINDS, USUAL, Fault, Places, read_kinds, rounder, roundness
from rollplane_rehearsal.search.shrinking import shrink
from rollplane_rehearsal.search.trials import Timeline, Trial, in_order, pairs, script_of, singles, spread
from rollplane_rehearsal.series import LateError

Numbers = frozenset[int]


def _simpler(numbers: Numbers) -> Iterator[Numbers]:
    """Numbers with one less, or one of them nearer to 0."""
    for each in sorted(numbers):
        yield numbers - {each}
    for each in sorted(numbers):
        yield from (numbers - {each} | {lower} for lower in range(each) if lower not in numbers)


def _first(breaks: Callable[[Numbers], bool]) -> Callable[[Sequence[Numbers]], int | None]:
    return lambda candidates: next((place for place, each in enumerate(candidates) if breaks(each)), None)


_SETS = st.frozensets(st.integers(0, 12), max_size=6)


@given(start=_SETS, needed=_SETS)
def test_what_is_needed_is_all_that_is_left(start: Numbers, needed: Numbers) -> None:
    shrunk = shrink(start | needed, _simpler, _first(lambda each: needed <= each), 10_000)
    assert shrunk.smallest == needed
    assert shrunk.is_minimal


@given(start=_SETS, least=st.integers(0, 30))
def test_what_is_found_breaks_and_nothing_one_step_simpler_does(start: Numbers, least: int) -> None:
    def breaks(numbers: Numbers) -> bool:
        return sum(numbers) >= least

    if not breaks(start):
        return
    shrunk = shrink(start, _simpler, _first(breaks), 10_000)
    assert breaks(shrunk.smallest)
    assert not any(map(breaks, _simpler(shrunk.smallest)))
    assert len(shrunk.smallest) <= len(start)


@given(start=_SETS, most=st.integers(0, 40))
def test_the_number_of_tries_is_bounded_and_what_is_left_breaks_still(start: Numbers, most: int) -> None:
    tried: list[Numbers] = []

    def first(candidates: Sequence[Numbers]) -> int | None:
        found = next((place for place, each in enumerate(candidates) if len(each) >= 2), None)
        tried.extend(candidates if found is None else candidates[: found + 1])
        return found

    if len(start) < 2:
        return
    shrunk = shrink(start, _simpler, first, most)
    assert len(tried) == shrunk.tries <= most
    assert len(shrunk.smallest) >= 2


def test_what_is_smallest_when_the_time_is_up_is_kept_and_said_to_be_no_more_than_that() -> None:
    answers = iter([0])

    def first(_candidates: Sequence[Numbers]) -> int | None:
        for answer in answers:
            return answer
        raise LateError

    start = frozenset({1, 2, 3})
    shrunk = shrink(start, _simpler, first, 100)
    assert (shrunk.smallest, shrunk.tries, shrunk.is_minimal) == (next(iter(_simpler(start))), 1, False)


PLACES = Places(("node-0", "node-1", "node-2"), ("web:v1", "web:v2"))
_MOMENTS = st.floats(0, 500).map(lambda at: round(at, 3))


def _fault(action: str, at: float, rungs: Sequence[int]) -> Fault:
    lengths = [len(PLACES.ladder(what)) for what in KINDS[action]]
    return Fault(action, at, tuple(rung % length for rung, length in zip(rungs, lengths, strict=False)))


_FAULTS = st.builds(_fault, st.sampled_from([*KINDS]), _MOMENTS, st.lists(st.integers(0, 9), min_size=2, max_size=2))


@given(fault=_FAULTS)
def test_every_fault_is_a_step_of_a_scenario_and_so_is_everything_simpler(fault: Fault) -> None:
    for each in (fault, *fault.simpler()):
        step = read_step(each.step(PLACES))
        assert step.action == fault.action
        assert step.at == pytest.approx(each.at, abs=1e-6)


@given(fault=_FAULTS)
def test_simpler_is_lower_or_rounder_so_that_it_ends(fault: Fault) -> None:
    for each in fault.simpler():
        assert (sum(each.rungs), roundness(each.at)) < (sum(fault.rungs), roundness(fault.at))


ROUND: dict[float, list[float]] = {
    0.0: [],
    60.0: [0.0],
    12.345: [0.0, 60.0, 10.0, 20.0, 15.0, 12.0, 13.0, 12.3, 12.4],
    7.0: [0.0, 60.0, 10.0, 5.0],
}


@pytest.mark.parametrize(("at", "expected"), ROUND.items())
def test_moments_become_rounder(at: float, expected: list[float]) -> None:
    assert list(rounder(at)) == expected


@given(faults=st.lists(_FAULTS, max_size=3))
def test_a_trial_becomes_simpler_by_one_fault_less_or_one_that_is_simpler(faults: list[Fault]) -> None:
    trial = Trial(1, in_order(faults))
    for each in trial.simpler():
        assert len(each.faults) <= len(trial.faults)
        assert list(each.faults) == sorted(each.faults, key=lambda fault: fault.at)


TIMELINE = Timeline([0.0, 2.0, 4.0], [0.0, 3.0], PLACES)


def test_faults_come_behind_the_steps_that_were_taken_by_then() -> None:
    own = [{"set image": "web=web:v2"}, {"when": "web is 1 ready", "restart": "web"}]
    trial = Trial(1, (Fault("unready", 0.0, (1,)), Fault("silence", 3.5, (0, 0))))
    assert script_of(own, TIMELINE, trial) == [
        own[0],
        {"at": "0s", "unready": "node-1"},
        own[1],
        {"at": "3.5s", "silence": "node-0", "for": "5s"},
    ]
    assert script_of(own, TIMELINE, Trial(1, ())) == own


def test_moments_lie_around_changes_and_are_visited_ever_denser() -> None:
    assert TIMELINE.moments == [0.0, 0.05, 1.95, 2.0, 2.05, 3.95, 4.0, 4.05]
    assert spread([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])[:4] == [0.0, 4.0, 2.0, 6.0]


def test_every_kind_is_tried_before_any_comes_again_and_the_same_seed_tries_the_same() -> None:
    timelines = {1: TIMELINE, 2: TIMELINE}
    tried = singles(timelines, USUAL, 7, 40)
    assert [trial.faults[0].action for trial in tried[: len(USUAL)]] == list(USUAL)
    assert tried == singles(timelines, USUAL, 7, 40)
    assert tried != singles(timelines, USUAL, 8, 40)
    assert len(set(tried)) == 40


def test_what_there_is_nothing_of_to_hit_is_not_tried() -> None:
    assert singles({1: Timeline([], [0.0], Places((), ()))}, ("drain", "silence"), 1, 5) == []


def test_pairs_are_of_one_seed_the_most_harmful_first() -> None:
    trials = [Trial(seed, (Fault("unready", float(at), (0,)),)) for seed in (1, 2) for at in range(4)]
    found = pairs([(trial, trial.faults[0].at) for trial in trials], 1, 6)
    assert found[0] == Trial(1, (*trials[2].faults, *trials[3].faults))
    assert all(len(trial.faults) == 2 for trial in found)
    assert pairs([], 1, 5) == []


def test_faults_are_asked_for_by_name() -> None:
    assert read_kinds(["drain", "drain"]) == ("drain",)
    assert "break image" not in read_kinds([])
    with pytest.raises(BadRequestError, match='"explode" is no fault to search with; there are drain, silence'):
        read_kinds(["explode"])
