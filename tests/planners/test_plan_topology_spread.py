"""docs/semantics/pod-lifecycle.md section 2: topology spread constraints, rule by rule."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from rollplane.core.v1 import Node, PodSpec
from tests.planners.placing import World, a_spec, available
from tests.planners.pods import a_node
from tests.planners.test_plan_pod_affinity import HOST, WEB, ZONE, in_zone

UNEVEN = "node(s) didn't match pod topology spread constraints"


def spread(key: str = ZONE, skew: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": WEB},
        **fields,
    }


def spreading(*constraints: dict[str, Any], **fields: Any) -> PodSpec:
    return a_spec(topologySpreadConstraints=list(constraints), **fields)


def zones(**counts: int) -> World:
    """As many nodes in each zone."""
    return World().put(*(in_zone(f"{zone}{at}", zone) for zone, count in counts.items() for at in range(count)))


def by_zone(names: list[str]) -> dict[str, int]:
    return dict(Counter(name[0] for name in names))


@pytest.mark.parametrize(("skew", "placed"), [(1, {"a": 3, "b": 3}), (2, {"a": 4, "b": 2}), (3, {"a": 5, "b": 3})])
def test_max_skew(skew: int, placed: dict[str, int]) -> None:
    """Zone b would be left empty by the emptiest node first: a has far more nodes."""
    names = zones(a=100, b=1).place(spreading(spread(skew=skew)), sum(placed.values()), **WEB)
    assert by_zone(names) == placed


def test_a_full_zone_stops_all() -> None:
    world = zones(a=2).put(in_zone("b0", "b", pods="1"))
    said = available(3, f"1 Too many pods, 2 {UNEVEN}")
    assert world.place(spreading(spread()), 4, **WEB) == ["a0", "b0", "a1", said]


def test_a_pod_that_is_not_counted_itself() -> None:
    world = zones(a=1, b=1)
    assert world.place(spreading(spread()), 3, app="other") == ["a0", "b0", "a0"]


def test_a_node_without_the_key() -> None:
    world = World().put(in_zone("none", ""))
    said = f"1 {UNEVEN} (missing required label)"
    assert world.place(spreading(spread()), 1, **WEB) == [available(1, said, lasting=1)]


@pytest.mark.parametrize(("domains", "count"), [(None, 6), (2, 6), (3, 2)])
def test_min_domains(domains: int | None, count: int) -> None:
    """With fewer places than that, the least is taken for 0."""
    fields: dict[str, Any] = {} if domains is None else {"minDomains": domains}
    names = zones(a=1, b=1).place(spreading(spread(**fields)), 6, **WEB)
    assert [len(name) for name in names].count(2) == count


NODES = {HOST: "c0", ZONE: "c"}
CLOSED: dict[str, tuple[Node, dict[str, Any], int]] = {
    "affinity, honoured by default": (a_node("c0", labels={**NODES, "old": "yes"}), {}, 4),
    "nodeAffinityPolicy Honor": (
        a_node("c0", labels={**NODES, "old": "yes"}),
        {"nodeAffinityPolicy": "Honor"},
        4,
    ),
    "nodeAffinityPolicy Ignore": (
        a_node("c0", labels={**NODES, "old": "yes"}),
        {"nodeAffinityPolicy": "Ignore"},
        2,
    ),
    "taints, ignored by default": (a_node("c0", labels=NODES, unschedulable=True), {}, 2),
    "nodeTaintsPolicy Honor": (
        a_node("c0", labels=NODES, unschedulable=True),
        {"nodeTaintsPolicy": "Honor"},
        4,
    ),
    "nodeTaintsPolicy Ignore": (
        a_node("c0", labels=NODES, unschedulable=True),
        {"nodeTaintsPolicy": "Ignore"},
        2,
    ),
}


@pytest.mark.parametrize(("closed", "fields", "count"), CLOSED.values(), ids=CLOSED)
def test_node_inclusion_policies(closed: Node, fields: dict[str, Any], count: int) -> None:
    """A zone that the pod may not go to holds the others back where it counts."""
    terms = [{"matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]}]
    required = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}
    names = zones(a=1, b=1).put(closed).place(spreading(spread(**fields), affinity=required), 4, **WEB)
    assert [len(name) for name in names].count(2) == count


def test_match_label_keys() -> None:
    """Each version is spread by itself: else what runs would decide where the new pods go."""
    spec = spreading(spread(matchLabelKeys=["version", "absent"]))
    world = zones(a=1, b=1)
    world.run("a0", world.demand(a_spec(), "shop", {**WEB, "version": "1"}))
    world.run("a0", world.demand(a_spec(), "shop", {**WEB, "version": "1"}))
    assert by_zone(world.place(spec, 2, **WEB, version="2")) == {"a": 1, "b": 1}


def test_several_constraints_must_all_hold() -> None:
    world = zones(a=2, b=1)
    names = world.place(spreading(spread(), spread(HOST)), 4, **WEB)
    assert names[:3] == ["a0", "b0", "a1"]
    assert names[3] in ("b0", "a0"), "all hosts have one, and zone b has room"


def test_nodes_that_lack_a_key_of_any_constraint_do_not_count() -> None:
    world = zones(a=1).put(a_node("nowhere", labels={ZONE: "b"}))
    assert world.place(spreading(spread(), spread(HOST)), 3, **WEB)[:3] == ["a0"] * 3


def test_terminating_and_foreign_pods_do_not_count() -> None:
    world = zones(a=1, b=1)
    world.mark(world.run("a0", world.demand(a_spec(), "shop", WEB)))
    world.run("b0", world.demand(a_spec(), "bank", WEB))
    world.run("b0", world.demand(a_spec(), "shop", {"app": "other"}))
    assert world.place(spreading(spread()), 3, **WEB) == ["a0", "b0", "a0"]


def test_a_pod_that_starts_to_go_makes_room() -> None:
    world = zones(a=1).put(in_zone("b0", "b", pods="0"))
    spec = spreading(spread())
    assert world.place(spec, 1, **WEB) == ["a0"]
    assert world.choose(spec, "shop", WEB).node == ""
    world.mark(next(iter(world.placed)))
    assert world.choose(spec, "shop", WEB).node == "a0"


def test_another_pods_arrival_may_even_things_out() -> None:
    world = zones(a=1).put(in_zone("b0", "b", pods="1"))
    spec = spreading(spread())
    world.place(spec, 1, **WEB)
    demand = world.demand(a_spec(), "shop", WEB)
    assert world.cluster.add("b0", world.run("a0", demand)), "it may help one that waits"


def test_schedule_anyway_prefers_the_emptier_place() -> None:
    """Zone b has but one node, which is fuller each time: the spread goes before that."""
    soft = spread(whenUnsatisfiable="ScheduleAnyway")
    assert by_zone(zones(a=50, b=1).place(spreading(soft), 10, **WEB)) == {"a": 5, "b": 5}


def test_schedule_anyway_goes_elsewhere_when_it_must() -> None:
    soft = spread(whenUnsatisfiable="ScheduleAnyway")
    world = zones(a=5).put(in_zone("b0", "b", pods="1"), in_zone("none", ""))
    assert by_zone(world.place(spreading(soft), 5, **WEB)) == {"a": 4, "b": 1}, "and last where there is no zone"


def test_schedule_anyway_by_host() -> None:
    soft = spread(HOST, whenUnsatisfiable="ScheduleAnyway")
    world = zones(a=3)
    for _ in range(5):
        world.run("a0", world.demand(a_spec(), "shop", {"app": "other"}))
    assert world.place(spreading(soft), 6, **WEB) == ["a1", "a2", "a0", "a1", "a2", "a0"]
