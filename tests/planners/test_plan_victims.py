"""docs/semantics/replicaset.md section 5: which pods die first."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from rollplane_planners.pods import PodView
from rollplane_planners.victims import choose_victims
from tests.planners.pods import NOW, a_view

HOUR = 3600.0

# The one that dies, and the one that stays.
Pair = tuple[dict[str, Any], dict[str, Any]]
RULES: dict[str, Pair] = {
    "1: not assigned before assigned": ({"node": "", "ready": 99}, {"phase": "Pending"}),
    "2: Pending before Unknown": ({"phase": "Pending", "ready": 99}, {"phase": "Unknown"}),
    "2: Unknown before Running": ({"phase": "Unknown", "ready": 99}, {"phase": "Running"}),
    "3: not ready before ready": ({"ready": None, "cost": "9"}, {"ready": 9, "cost": "-9"}),
    "4: lower deletion cost": ({"cost": "-1", "node": "lonely"}, {"node": "crowded"}),
    "4: no cost is 0": ({"node": "lonely"}, {"cost": "1", "node": "crowded"}),
    "4: an invalid cost is 0": ({"cost": "+5", "node": "crowded"}, {"cost": "1", "node": "crowded"}),
    "5: more related pods on its node": ({"node": "crowded", "ready": 9 * HOUR}, {"node": "lonely", "ready": 1}),
    "6: ready for a shorter time": ({"ready": 1 * HOUR, "restarts": 0}, {"ready": 9 * HOUR, "restarts": 5}),
    "7: more restarts": ({"restarts": 3, "age": 9 * HOUR}, {"restarts": 2, "age": 1}),
    "8: newer": ({"age": 60}, {"age": 9 * HOUR}),
    "8: among pods of similar age the smaller uid": ({"age": 5_000, "name": "a"}, {"age": 4_999, "name": "b"}),
    "6: likewise among pods ready for about as long": ({"ready": 5_000, "name": "a"}, {"ready": 4_999, "name": "b"}),
}
CROWD = {"crowded": 3, "lonely": 1}


@pytest.mark.parametrize(("dies", "stays"), RULES.values(), ids=RULES)
def test_rule(dies: dict[str, Any], stays: dict[str, Any]) -> None:
    doomed, survivor = a_view(**{"name": "y", **dies}), a_view(**{"name": "x", **stays})
    for order in ([doomed, survivor], [survivor, doomed]):
        assert choose_victims(order, 1, CROWD, NOW) == [doomed]


def test_if_all_go_order_is_irrelevant() -> None:
    pods = [a_view("a"), a_view("b")]
    assert choose_victims(pods, 2, {}, NOW) == pods
    assert choose_victims(pods, 0, {}, NOW) == []


COSTS = {"": 0, "-5": -5, "0": 0, "2147483647": 2**31 - 1, "2147483648": 0, "-2147483648": -(2**31), "007": 0, "x": 0}


@pytest.mark.parametrize(("text", "cost"), COSTS.items())
def test_deletion_cost(text: str, cost: int) -> None:
    assert a_view("a", cost=text).deletion_cost == cost


def test_a_missing_time_counts_as_shortest_and_newest() -> None:
    known, unknown = a_view("a", age=1), a_view("b", age=NOW)
    assert choose_victims([known, unknown], 1, {}, NOW) == [unknown]


def test_example() -> None:
    ages = {"a": 3, "b": 2, "c": 2, "d": 1}
    pods = [
        a_view(name, ready=hours * HOUR, age=hours * HOUR, cost="-5" if name == "a" else "")
        for name, hours in ages.items()
    ]
    assert {pod.name for pod in choose_victims(pods, 2, {}, NOW)} == {"a", "d"}


def test_survivors_are_spread() -> None:
    def crowd(pods: list[PodView]) -> Counter[str]:
        return Counter(pod.node_name for pod in pods)

    pods = [a_view(f"p{number}", node="full" if number < 4 else "free", ready=9) for number in range(6)]
    victims = choose_victims(pods, 2, crowd(pods), NOW)
    assert crowd(victims) == {"full": 2}
