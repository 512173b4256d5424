"""How long 10,000 pods take to be placed on 1,000 nodes in three zones, one after the other, by their constraints."""

from __future__ import annotations

import time
from typing import Any

from rollplane.core.v1 import PodSpec
from rollplane_planners.scheduling.preemption import Asker
from tests.planners.placing import APod, World, a_spec
from tests.planners.pods import a_node
from tests.planners.test_plan_pod_affinity import HOST, WEB, ZONE, away, term
from tests.planners.test_plan_topology_spread import spread, spreading

NODES, PODS, TEMPLATES, PREEMPTORS, REPEATS = 1_000, 10_000, 1_000, 100, 3
REQUESTS = {"cpu": "100m", "memory": "128Mi"}
SOFT: dict[str, Any] = {"whenUnsatisfiable": "ScheduleAnyway"}
APART = [{"weight": 100, "podAffinityTerm": term(WEB, HOST)}]


def main() -> None:
    """Print rows of name, seconds of CPU."""
    specs = {
        "no constraints": a_spec(requests=REQUESTS),
        "spread over zones": spreading(spread(), requests=REQUESTS),
        "spread over hosts": spreading(spread(HOST), requests=REQUESTS),
        "spread over zones and hosts": spreading(spread(ZONE, 12), spread(HOST), requests=REQUESTS),
        "the same, ScheduleAnyway": spreading(spread(**SOFT), spread(HOST, **SOFT), requests=REQUESTS),
        "preferred host anti-affinity": a_spec(
            requests=REQUESTS,
            affinity={"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": APART}},
        ),
    }
    for name, spec in specs.items():
        _report(f"{name}, {PODS} pods", lambda world, spec=spec: _place(world, spec, PODS))
    _report(f"required host anti-affinity, {NODES} pods", lambda world: _place(world, away(term(WEB, HOST)), NODES))
    _report(f"spread over zones, {TEMPLATES} templates of {PODS // TEMPLATES} pods", _place_templates)
    _report(f"preemption by {PREEMPTORS} pods, {PODS} pods run", _preempt)


def _world() -> World:
    labels = [{HOST: f"n{at:04}", ZONE: f"z{at * 3 // NODES}"} for at in range(NODES)]
    return World().put(*(a_node(one[HOST], cpu="64", memory="256Gi", pods="250", labels=one) for one in labels))


def _place(world: World, spec: PodSpec, count: int, app: str = "web") -> None:
    """Place pods as the scheduler does: the demand of each is worked out anew."""
    for _ in range(count):
        demand = world.demand(spec, "shop", {"app": app, "pod-template-hash": "5d4f8"})
        node = world.cluster.choose(demand).node
        if not node:
            raise SystemExit(f"{app}: no node")
        world.run(node, demand)


def _place_templates(world: World) -> None:
    for at in range(TEMPLATES):
        app = f"app-{at}"
        own = spread(labelSelector={"matchLabels": {"app": app}})
        _place(world, spreading(own, requests=REQUESTS), PODS // TEMPLATES, app)


def _preempt(world: World) -> None:
    """Ten pods fill each node; two of them go for each that comes."""
    small, large = (world.demand(a_spec(requests={"cpu": cpu})) for cpu in ("6", "12"))
    for at in range(PODS):
        world.run(f"n{at % NODES:04}", small, started=float(at))
    for at in range(PREEMPTORS):
        pod = APod(large, priority=1, uid=f"preemptor-{at}")
        choice = world.cluster.choose(large, Asker(pod.uid, pod.priority))
        world.cluster.keep(choice.nominated, pod)


def _report(name: str, run: Any) -> None:
    best = float("inf")
    for _ in range(REPEATS):
        world = _world()
        start = time.process_time()
        run(world)
        best = min(best, time.process_time() - start)
    print(f"{name}  {best:.2f} s")


if __name__ == "__main__":
    main()
