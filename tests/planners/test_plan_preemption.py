"""Preemption, rule by rule (docs/semantics/pod-lifecycle.md section 2, Preemption)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rollplane.meta.v1 import LabelSelector
from rollplane_machinery.releases import LATEST, release_of
from rollplane_machinery.selectors import label_selector_of
from rollplane_planners.scheduling.cluster import Choice
from rollplane_planners.scheduling.preemption import Asker, Budget, Candidate, best_of, candidate_limit
from tests.planners.placing import APod, World, a_spec, available
from tests.planners.pods import a_node
from tests.planners.test_plan_pod_affinity import HOST, away, beside, in_zone, term
from tests.planners.test_plan_topology_spread import spread, spreading

HIGH = Asker("high-uid", priority=100)


def a_world(count: int = 1, cpu: str = "4") -> World:
    return World().put(*(a_node(f"n{at}", cpu=cpu) for at in range(count)))


def runs(world: World, node: str, cpu: str, priority: int = 0, **fields: object) -> APod:
    labels = fields.pop("labels", {})
    assert isinstance(labels, dict)
    return world.run(node, world.demand(a_spec(requests={"cpu": cpu}), labels=labels), priority=priority, **fields)


def ask(world: World, cpu: str, asker: Asker = HIGH, budgets: Sequence[Budget] = ()) -> Choice:
    return world.cluster.choose(world.demand(a_spec(requests={"cpu": cpu})), asker, lambda: budgets)


def budget(allowed: int, *disrupted: str, namespace: str = "shop", **labels: str) -> Budget:
    selector = label_selector_of(LabelSelector(match_labels=labels or {"app": "web"}))
    return Budget(namespace, selector, allowed, frozenset(disrupted))


# Whether anybody goes.


def test_nobody_goes_where_there_is_room() -> None:
    world = a_world(2)
    runs(world, "n0", "4")
    assert ask(world, "2") == Choice("n1")


def test_lower_priority_goes_and_the_node_is_nominated() -> None:
    world = a_world()
    victim = runs(world, "n0", "4")
    assert ask(world, "2") == Choice("", "0/1 nodes are available: 1 Insufficient cpu.", "n0", (victim,))


@pytest.mark.parametrize("priority", [100, 101])
def test_equal_and_higher_priority_stays(priority: int) -> None:
    world = a_world()
    runs(world, "n0", "4", priority)
    assert ask(world, "2") == Choice("", available(1, "1 Insufficient cpu"))


def test_nobody_goes_where_that_does_not_help() -> None:
    world = a_world(2)
    runs(world, "n0", "2")
    runs(world, "n0", "2", 100)
    runs(world, "n1", "4", 100)
    said = "0/2 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod."
    assert ask(world, "3").why == f"0/2 nodes are available: 2 Insufficient cpu. preemption: {said}"


def test_lasting_obstacles_are_no_candidates() -> None:
    world = World().put(a_node("n0", cpu="4"), a_node("n1", unschedulable=True))
    runs(world, "n0", "4", 100)
    runs(world, "n1", "4")
    why = "1 Insufficient cpu, 1 node(s) were unschedulable"
    assert ask(world, "2") == Choice("", available(2, why, lasting=1))


def test_policy_never() -> None:
    world = a_world()
    runs(world, "n0", "4")
    asker = Asker("high-uid", 100, preempts=False)
    why = "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
    assert ask(world, "2", asker) == Choice("", why)


NEVER: dict[str, str] = {
    "1.23": "0/1 nodes are available: 1 Insufficient cpu.",
    "1.24": "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
    "1.25": "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never..",
    "1.34": "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to "
    "preemptionPolicy=Never.",
}


@pytest.mark.parametrize(("release", "why"), NEVER.items())
def test_policy_never_is_told_by_release(release: str, why: str) -> None:
    world = World(release_of(release)).put(a_node("n0", cpu="4"))
    runs(world, "n0", "4")
    assert ask(world, "2", Asker("high-uid", 100, preempts=False)).why == why


def test_victims_that_end_are_waited_for() -> None:
    world = a_world()
    runs(world, "n0", "4", terminating=True, preempted=True)
    asker = Asker("high-uid", 100, nominated="n0")
    said = "not eligible due to a terminating pod on the nominated node."
    assert ask(world, "2", asker) == Choice(
        "", f"0/1 nodes are available: 1 Insufficient cpu. preemption: {said}", nominated="n0"
    )


def test_pods_that_end_for_other_reasons_are_not() -> None:
    world = a_world()
    other = runs(world, "n0", "4", terminating=True)
    assert ask(world, "2", Asker("high-uid", 100, nominated="n0")).victims == (other,)


def test_nominated_node_that_takes_it_never_is_not_waited_for() -> None:
    world = World().put(a_node("n0", cpu="4", unschedulable=True), a_node("n1", cpu="4"))
    runs(world, "n0", "4", terminating=True, preempted=True)
    victim = runs(world, "n1", "4")
    choice = ask(world, "2", Asker("high-uid", 100, nominated="n0"))
    assert (choice.nominated, choice.victims) == ("n1", (victim,))


# Who goes.


def test_no_more_than_need_be_go() -> None:
    world = a_world()
    runs(world, "n0", "1", 1, started=1)
    runs(world, "n0", "1", 1, started=2)
    young = runs(world, "n0", "1", 1, started=3)
    unstarted = runs(world, "n0", "1", 1)
    assert ask(world, "1").victims == (unstarted,)
    assert ask(world, "2").victims == (young, unstarted)


def test_the_less_important_go_first() -> None:
    world = a_world()
    low = runs(world, "n0", "2", 1, started=1)
    runs(world, "n0", "2", 2, started=9)
    assert ask(world, "2").victims == (low,)


def test_who_stands_in_nobodys_way_stays() -> None:
    world = a_world()
    runs(world, "n0", "0", 0)
    large = runs(world, "n0", "4", 5)
    assert ask(world, "3").victims == (large,)


def test_host_port_is_freed() -> None:
    world = a_world()
    port = a_spec(ports=[{"containerPort": 80, "hostPort": 80}])
    victim = world.run("n0", world.demand(port))
    runs(world, "n0", "1")
    assert world.cluster.choose(world.demand(port), HIGH).victims == (victim,)


def test_anti_affinity_of_victims_goes_with_them() -> None:
    world = World().put(in_zone("n0", "a"))
    keeps_away = world.demand(away(term({"app": "web"}, HOST)), labels={"app": "db"})
    victim = world.run("n0", keeps_away)
    assert world.cluster.choose(world.demand(a_spec(), labels={"app": "web"}), HIGH).victims == (victim,)


def test_spread_is_evened_out_by_victims() -> None:
    world = World().put(in_zone("n0", "a"), in_zone("n1", "b", pods="0"))
    even = world.demand(spreading(spread()), labels={"app": "web"})
    victim = world.run("n0", even)
    assert world.cluster.choose(even, HIGH).victims == (victim,)


def test_nobody_goes_whom_it_needs_beside_it() -> None:
    world = a_world()
    spec = beside(term({"app": "db"}, HOST))
    spec.containers[0].resources.requests["cpu"].string = "2"
    node = a_node("n0", cpu="4", labels={HOST: "n0"})
    world.put(node)
    runs(world, "n0", "4", labels={"app": "db"})
    choice = world.cluster.choose(world.demand(spec, labels={"app": "web"}), HIGH)
    assert (choice.nominated, choice.victims) == ("", ())
    assert "preemption: 0/1 nodes are available: 1 node(s) didn't match pod affinity rules." in choice.why


# Budgets.


def test_pods_whose_budget_would_be_broken_are_let_in_first() -> None:
    world = a_world()
    runs(world, "n0", "2", 1, labels={"app": "web"})
    free = runs(world, "n0", "2", 5)
    assert ask(world, "2", budgets=[budget(0)]).victims == (free,)


BUDGETS: dict[str, Budget] = {
    "allows one": budget(1),
    "of another namespace": budget(0, namespace="bank"),
    "of other pods": budget(0, app="db"),
    "granted already": budget(0, "web-uid"),
}


@pytest.mark.parametrize("one", BUDGETS.values(), ids=BUDGETS)
def test_budgets_that_are_not_broken(one: Budget) -> None:
    world = a_world()
    low = runs(world, "n0", "2", 1, labels={"app": "web"}, uid="web-uid")
    runs(world, "n0", "2", 5)
    assert ask(world, "2", budgets=[one]).victims == (low,)


def test_budget_is_broken_where_nothing_else_helps() -> None:
    world = a_world()
    victim = runs(world, "n0", "4", labels={"app": "web"})
    assert ask(world, "2", budgets=[budget(0)]).victims == (victim,)


def test_each_of_its_pods_is_charged_to_a_budget() -> None:
    world = a_world(2)
    for _ in range(2):
        runs(world, "n0", "2", labels={"app": "web"})
    lone = runs(world, "n1", "4", 50, labels={"app": "db"})
    assert ask(world, "4", budgets=[budget(1)]).victims == (lone,), "the second of the two would break it"


# Which node.


def victim(priority: int, started: float | None = 0.0) -> APod:
    return APod(World().demand(a_spec()), priority=priority, started=started)


CHOICES: dict[str, tuple[Candidate, Candidate]] = {
    "fewest broken budgets": (
        Candidate("z", (victim(50), victim(50))),
        Candidate("a", (victim(1),), violations=1),
    ),
    "lowest of the highest priorities": (Candidate("z", (victim(5), victim(5))), Candidate("a", (victim(6),))),
    "lowest sum of priorities": (
        Candidate("z", (victim(5), victim(1))),
        Candidate("a", (victim(5), victim(2))),
    ),
    "a negative one more is more": (Candidate("z", (victim(5),)), Candidate("a", (victim(5), victim(-9)))),
    "youngest of the most important": (
        Candidate("z", (victim(5, 9.0), victim(1, 1.0))),
        Candidate("a", (victim(5, 8.0), victim(1, 7.0))),
    ),
    "eldest of those counts": (
        Candidate("z", (victim(5, 8.0), victim(5, 7.0))),
        Candidate("a", (victim(5, 99.0), victim(5, 6.0))),
    ),
    "not yet started is youngest": (Candidate("z", (victim(5, None),)), Candidate("a", (victim(5, 1e9),))),
    "first by name": (Candidate("a", (victim(5),)), Candidate("b", (victim(5),))),
}


@pytest.mark.parametrize(("best", "other"), CHOICES.values(), ids=CHOICES)
def test_the_node_that_is_harmed_least(best: Candidate, other: Candidate) -> None:
    assert best_of([best, other]) == best == best_of([other, best])


def test_of_how_many_candidates() -> None:
    assert [candidate_limit(nodes) for nodes in (3, 1000, 5000)] == [100, 100, 500]


# Places that are kept.


def kept(world: World, node: str, cpu: str, priority: int, uid: str = "waiting") -> APod:
    pod = APod(world.demand(a_spec(requests={"cpu": cpu})), priority=priority, uid=uid)
    world.cluster.keep(node, pod)
    return pod


def test_place_is_kept_from_the_less_and_the_equally_urgent() -> None:
    world = a_world()
    kept(world, "n0", "3", 50)
    for priority in (0, 50):
        assert ask(world, "2", Asker("other", priority)).node == ""
    assert ask(world, "1", Asker("other", 0)).node == "n0"


def test_place_is_not_kept_from_the_more_urgent_nor_from_itself() -> None:
    world = a_world()
    kept(world, "n0", "3", 50)
    assert ask(world, "4", Asker("other", 51)).node == "n0"
    assert ask(world, "4", Asker("waiting", 50)).node == "n0"
    assert ask(world, "2", Asker("other", 50)).node == "", "it is kept again"


def test_place_of_the_less_urgent_goes_when_a_more_urgent_wants_it() -> None:
    world = a_world()
    low = kept(world, "n0", "3", 50, "low")
    same = kept(world, "n0", "3", 50, "same")
    high = APod(world.demand(a_spec()), priority=60, uid="high")
    assert world.cluster.keep("n0", high) == [low, same]
    assert [world.cluster.kept_for(uid) for uid in ("low", "same", "high")] == ["", "", "n0"]


def test_nominated_node_is_taken_before_better_ones() -> None:
    world = a_world(2)
    runs(world, "n1", "1")
    assert ask(world, "1", Asker("high-uid", 100, nominated="n1")).node == "n1"
    assert ask(world, "4", Asker("high-uid", 100, nominated="n1")).node == "n0", "where it does not fit: another"


def test_who_a_place_is_kept_for_is_not_relied_upon() -> None:
    """A pod that wants to be beside one that may never come is not placed there."""
    world = World().put(in_zone("n0", "a"))
    world.cluster.keep("n0", APod(world.demand(a_spec(), labels={"app": "db"}), priority=50))
    near = world.demand(beside(term({"app": "db"}, HOST)), labels={"app": "web"})
    assert world.cluster.choose(near, Asker("web", 0)).node == ""


def test_who_a_place_is_kept_for_is_kept_away_from() -> None:
    world = World().put(in_zone("n0", "a"))
    world.cluster.keep("n0", APod(world.demand(a_spec(), labels={"app": "db"}), priority=50))
    far = world.demand(away(term({"app": "db"}, HOST)), labels={"app": "web"})
    assert world.cluster.choose(far, Asker("web", 0)).node == ""
    assert world.cluster.choose(far, Asker("web", 51)).node == "n0"


def test_nothing_is_left_of_a_trial() -> None:
    world = a_world(3)
    for node in ("n0", "n1", "n2"):
        runs(world, node, "2", labels={"app": "web"})
        runs(world, node, "2", 5)
    before = [ask(world, "3") for _ in range(3)]
    assert before[0] == before[1] == before[2]
    assert ask(world, "1", Asker("low", 0)).node == "", "all rooms are as full as before"


def test_by_release_only_words_differ() -> None:
    assert release_of("1.26").preempted_sentence.value.format(namespace="a", name="b", node="n") == (
        "Preempted by a/b on node n"
    )
    assert release_of("1.28").preempted_sentence.value.format(node="n") == "Preempted by a pod on node n"
    assert LATEST.preempted_sentence.value.format(uid="u", node="n") == "Preempted by pod u on node n"
