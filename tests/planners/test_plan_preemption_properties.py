"""Whoever asks: no one goes who is as urgent, and no one in vain; who waits gets the place that was made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import PodSpec
from rollplane.meta.v1 import LabelSelector
from rollplane_machinery.selectors import label_selector_of
from rollplane_planners.scheduling.cluster import Choice
from rollplane_planners.scheduling.demand import Demand
from rollplane_planners.scheduling.preemption import Asker, Budget
from tests.planners.placing import APod, World, a_spec
from tests.planners.test_plan_placement_properties import NAMESPACES, SPECS, Checker
from tests.planners.test_plan_pod_affinity import in_zone

CPUS, ROOM = (0, 1, 2, 3, 4), 4
BUDGETS = [
    Budget("shop", label_selector_of(LabelSelector(match_labels={"app": app})), allowed, frozenset())
    for app, allowed in (("web", 1), ("db", 0))
]
PODS = st.tuples(st.integers(0, 3), st.sampled_from(CPUS), st.integers(-1, 2), st.sampled_from(["web", "db"]))
ZONES = st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=4)


@dataclass
class Story:
    """A world, and a checker that counts anew."""

    world: World
    cpus: dict[APod, int] = field(default_factory=dict)
    waiting: int = 0

    def __post_init__(self) -> None:
        self.checker = Checker(self.world.nodes)

    def demand(self, spec: PodSpec, cpu: int, app: str) -> tuple[PodSpec, Demand]:
        spec = PodSpec.FromString(spec.SerializeToString())
        if not spec.containers:
            spec.containers.add(name="c", image="i")
        spec.containers[0].resources.requests["cpu"].string = str(cpu)
        return spec, self.world.demand(spec, "shop", {"app": app, "version": "1"})

    def ask(self, spec: PodSpec, cpu: int, priority: int, app: str) -> None:
        """Place such a pod, or have others go and place it then."""
        spec, demand = self.demand(spec, cpu, app)
        self.waiting += 1
        asker = Asker(f"asker-{self.waiting}", priority)
        before = self.rooms()
        choice = self.world.cluster.choose(demand, asker, lambda: BUDGETS)
        assert self.rooms() == before
        if choice.nominated:
            self.check_victims(choice, priority, spec, demand)
            for one in choice.victims:
                assert isinstance(one, APod)
                self.end(one)
            chosen = self.world.cluster.choose(demand, Asker(asker.uid, priority, choice.nominated), lambda: BUDGETS)
            assert chosen == Choice(choice.nominated), "they went in vain"
            choice = chosen
        elif not choice.node:
            self.check_hopeless(spec, demand, cpu, priority)
        if choice.node:
            self.place(choice.node, spec, demand, cpu, priority)

    def place(self, node: str, spec: PodSpec, demand: Demand, cpu: int, priority: int) -> None:
        assert self.free(node) >= cpu, "more than there is room"
        assert self.checker.may_run(APod(demand), spec, node)
        pod = self.world.run(node, demand, priority=priority)
        self.checker.pods[pod], self.cpus[pod] = (spec, node), cpu

    def end(self, pod: APod) -> None:
        self.world.end(pod)
        del self.checker.pods[pod], self.cpus[pod]

    def free(self, node: str) -> int:
        return ROOM - sum(self.cpus[pod] for pod, (_, on) in self.checker.pods.items() if on == node)

    def rooms(self) -> Mapping[str, object]:
        cluster = self.world.cluster
        return {
            name: (room.used.cpu, room.pods, set(room.tenants)) for name, room in cluster._rooms.items() if room.pods
        }

    def check_victims(self, choice: Choice, priority: int, spec: PodSpec, demand: Demand) -> None:
        assert choice.victims
        assert all(one.priority < priority for one in choice.victims)
        for one in choice.victims:
            assert isinstance(one, APod)
            assert self.checker.pods[one][1] == choice.nominated

    def check_hopeless(self, spec: PodSpec, demand: Demand, cpu: int, priority: int) -> None:
        """Nobody could make room for a pod without constraints: what stays is as urgent."""
        if spec.HasField("affinity") or spec.topology_spread_constraints:
            return
        for name in self.world.nodes:
            stay = [pod for pod, (_, on) in self.checker.pods.items() if on == name and pod.priority >= priority]
            kept_away = any(self.checker.pods[pod][0].HasField("affinity") for pod in self.checker.pods)
            assert kept_away or ROOM - sum(self.cpus[pod] for pod in stay) < cpu


def a_story(zones: list[str]) -> Story:
    world = World().put(*(in_zone(f"n{at}", zone, cpu=str(ROOM)) for at, zone in enumerate(zones)))
    for name, labels in NAMESPACES.items():
        world.namespace(name, **labels)
    return Story(world)


@given(ZONES, st.lists(PODS, max_size=20))
def test_room_alone(zones: list[str], pods: list[tuple[int, int, int, str]]) -> None:
    story = a_story(zones)
    for _, cpu, priority, app in pods:
        story.ask(a_spec(), cpu, priority, app)


@given(ZONES, st.lists(SPECS, min_size=4, max_size=4), st.lists(PODS, max_size=15))
def test_room_and_neighbours(zones: list[str], specs: list[PodSpec], pods: list[tuple[int, int, int, str]]) -> None:
    story = a_story(zones)
    for which, cpu, priority, app in pods:
        story.ask(specs[which], cpu, priority, app)


@given(st.lists(st.tuples(st.sampled_from(CPUS), st.integers(0, 2)), min_size=1, max_size=6), st.integers(1, ROOM))
def test_no_victim_could_have_stayed(pods: list[tuple[int, int]], cpu: int) -> None:
    """With any one of them back the pod would not fit."""
    world = World().put(in_zone("n0", "a", cpu=str(ROOM)))
    for room, priority in pods:
        demand = world.demand(a_spec(requests={"cpu": str(room)}))
        if world.cluster.choose(demand).node:
            world.run("n0", demand, priority=priority)
    wanted = world.demand(a_spec(requests={"cpu": str(cpu)}))
    choice = world.cluster.choose(wanted, Asker("high", 9))
    for spared in choice.victims:
        others = [one for one in choice.victims if one is not spared]
        for one in others:
            assert isinstance(one, APod)
            world.cluster.remove("n0", one)
        assert not world.cluster.choose(wanted, Asker("high", 0)).node
        for one in others:
            world.cluster.add("n0", one)
