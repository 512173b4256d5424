"""The pace of evictions: the table's row "eviction rate" in docs/semantics/pod-lifecycle.md section 9."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_planners.node_lifecycle.health import NodeHealth
from rollplane_planners.node_lifecycle.times import DEFAULT_TIMES, NodeTimes
from rollplane_planners.node_lifecycle.zones import Zones, ZoneState, eviction_rate, zone_state
from tests.planners.nodes import health

STATES: dict[str, tuple[int, int, ZoneState]] = {
    "all ready": (10, 0, ZoneState.NORMAL),
    "no nodes": (0, 0, ZoneState.NORMAL),
    "none ready": (0, 1, ZoneState.FULL),
    "55 % unready": (45, 55, ZoneState.PARTIAL),
    "just below 55 %": (46, 54, ZoneState.NORMAL),
    "two unready are too few": (1, 2, ZoneState.NORMAL),
    "three unready are enough": (1, 3, ZoneState.PARTIAL),
}


@pytest.mark.parametrize(("ready", "not_ready", "state"), STATES.values(), ids=STATES)
def test_zone_state(ready: int, not_ready: int, state: ZoneState) -> None:
    assert zone_state(ready, not_ready) is state


RATES: dict[str, tuple[ZoneState, int, float]] = {
    "normal": (ZoneState.NORMAL, 10, 0.1),
    "disrupted, large": (ZoneState.PARTIAL, 51, 0.01),
    "disrupted, small": (ZoneState.PARTIAL, 50, 0.0),
    "fully down, others are not": (ZoneState.FULL, 10, 0.1),
}


@pytest.mark.parametrize(("state", "nodes", "rate"), RATES.values(), ids=RATES)
def test_eviction_rate(state: ZoneState, nodes: int, rate: float) -> None:
    assert eviction_rate(state, nodes, DEFAULT_TIMES) == rate


def fleet(ready: int, lost: int, zone: str = "") -> list[NodeHealth]:
    return [health(zone=zone)] * ready + [health("Unknown", zone=zone)] * lost


def test_one_node_at_once_then_one_every_ten_seconds_first_come_first_served() -> None:
    zones = Zones(DEFAULT_TIMES)
    for name in ("b", "a", "c"):
        zones.ask("", name)
    assert zones.grant(0.0) == []
    zones.judge(fleet(7, 3))
    assert [zones.grant(at) for at in (0.0, 5.0, 9.9, 10.0, 19.0, 20.0, 40.0)] == [["b"], [], [], ["a"], [], ["c"], []]
    assert not zones.waiting


def test_who_asks_waits_for_the_next_judgement() -> None:
    zones = Zones(DEFAULT_TIMES)
    zones.judge(fleet(7, 0))
    zones.ask("", "a")
    assert zones.grant(100.0) == []
    zones.judge(fleet(0, 7))
    assert zones.all_down
    assert zones.grant(100.0) == []


def test_disrupted_large_zone_is_emptied_slowly() -> None:
    zones = Zones(DEFAULT_TIMES)
    zones.ask("", "a")
    zones.ask("", "b")
    zones.judge(fleet(40, 60))
    assert [zones.grant(at) for at in (0.0, 99.0, 100.0)] == [["a"], [], ["b"]]


def test_disrupted_small_zone_is_left_alone_until_it_is_better() -> None:
    zones = Zones(DEFAULT_TIMES)
    zones.ask("", "a")
    zones.judge(fleet(4, 6))
    assert zones.grant(1_000.0) == []
    assert zones.waiting
    zones.judge(fleet(6, 4))
    assert zones.grant(1_000.0) == ["a"]


def test_zones_have_a_pace_each_and_one_that_is_down_is_emptied_while_others_are_not() -> None:
    zones = Zones(DEFAULT_TIMES)
    for name in ("a1", "a2"):
        zones.ask("eu/a", name)
    zones.ask("eu/b", "b1")
    zones.judge([*fleet(0, 2, "eu/a"), *fleet(9, 1, "eu/b")])
    assert not zones.all_down
    assert zones.grant(0.0) == ["a1", "b1"]
    assert zones.grant(10.0) == ["a2"]


def test_all_zones_down_stops_everything_and_return_restarts_the_reckoning() -> None:
    zones = Zones(DEFAULT_TIMES)
    first = zones.judge([*fleet(1, 0, "eu/a"), *fleet(1, 0, "eu/b")])
    assert not first.turned
    down = zones.judge([*fleet(0, 1, "eu/a"), *fleet(0, 1, "eu/b")])
    assert (down.turned, down.resumed, zones.all_down) == (True, False, True)
    assert not zones.judge([*fleet(0, 1, "eu/a"), *fleet(0, 1, "eu/b")]).turned
    back = zones.judge([*fleet(1, 0, "eu/a"), *fleet(0, 1, "eu/b")])
    assert (back.turned, back.resumed, zones.all_down) == (True, True, False)


def test_no_nodes_at_all_are_not_all_down() -> None:
    zones = Zones(DEFAULT_TIMES)
    assert not zones.judge([]).turned


def test_excluded_nodes_do_not_count() -> None:
    zones = Zones(DEFAULT_TIMES)
    zones.judge([health(), health("Unknown", excluded=True), health("Unknown", excluded=True)])
    zones.judge([health(excluded=True), health("Unknown")])
    assert zones.all_down


def test_who_leaves_is_not_granted() -> None:
    zones = Zones(DEFAULT_TIMES)
    zones.ask("", "a")
    zones.leave("", "a")
    zones.ask("", "b")
    zones.judge(fleet(5, 2))
    zones.leave("", "b")
    assert zones.grant(0.0) == []
    zones.leave("never seen", "x")


@given(
    rate=st.floats(0.01, 5.0),
    steps=st.lists(st.floats(0.05, 30.0), max_size=60),
    waiting=st.integers(1, 80),
)
def test_rate_is_never_exceeded(rate: float, steps: list[float], waiting: int) -> None:
    zones = Zones(NodeTimes(eviction_rate=rate))
    for number in range(waiting):
        zones.ask("", f"n{number}")
    zones.judge(fleet(200, waiting))
    now, granted = 0.0, len(zones.grant(0.0))
    for step in steps:
        now += step
        granted += len(zones.grant(now))
    assert granted <= 1 + now * rate + 1e-6
