"""The scheduler and the pods around a pod: what it knows of them, and when a pod that waits is looked at again."""

from __future__ import annotations

from typing import Any

from rollplane.core.v1 import Namespace, PersistentVolumeClaim, Pod
from rollplane_machinery.kinds import NAMESPACE, PERSISTENT_VOLUME_CLAIM, POD
from tests.controller.plane import Plane, a_plane
from tests.planners.placing import available
from tests.planners.pods import a_node, a_pod
from tests.planners.test_plan_pod_affinity import HOST, ZONE, away, beside, term
from tests.planners.test_plan_topology_spread import spread, spreading

# No time passes in `quiet`: a pod that is bound then was woken, its back-off is not over.


async def three_nodes(plane: Plane) -> None:
    for at in range(3):
        await plane.node(a_node(f"n{at}", labels={HOST: f"n{at}", ZONE: f"z{at % 2}"}))


async def make(plane: Plane, name: str, spec: Any = None, *, node: str = "", **labels: str) -> None:
    pod = a_pod(name, owner="", node=node, phase="", labels=labels)
    pod.metadata.ClearField("uid")
    if spec is not None:
        pod.spec.affinity.CopyFrom(spec.affinity)
        pod.spec.topology_spread_constraints.extend(spec.topology_spread_constraints)
    await plane.create(pod)
    await plane.quiet()


async def found(plane: Plane, name: str) -> Pod:
    pod = await plane.find(POD, name)
    assert isinstance(pod, Pod)
    return pod


async def node_of(plane: Plane, name: str) -> str:
    return (await found(plane, name)).spec.node_name


async def test_a_pod_waits_for_the_one_it_wants_to_be_beside() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await three_nodes(plane)
        await make(plane, "web", beside(term({"app": "db"}, HOST)), app="web")
        assert await node_of(plane, "web") == ""
        (event,) = await plane.events("FailedScheduling")
        assert event.message == available(3, "3 node(s) didn't match pod affinity rules", lasting=3)
        await make(plane, "db", app="db")
        assert await node_of(plane, "web") == await node_of(plane, "db") != ""


async def test_a_pod_waits_until_its_zone_is_even() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await plane.node(a_node("a", labels={ZONE: "a"}))
        await plane.node(a_node("b", labels={ZONE: "b"}, pods="0"))
        await make(plane, "first", spreading(spread()), app="web")
        await make(plane, "second", spreading(spread()), app="web")
        assert (await node_of(plane, "first"), await node_of(plane, "second")) == ("a", "")
        await make(plane, "by-hand", node="b", app="web")
        assert await node_of(plane, "second") == "a"


async def test_a_pod_that_is_told_to_go_evens_out_a_spread() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await plane.node(a_node("a", labels={ZONE: "a"}))
        await plane.node(a_node("b", labels={ZONE: "b"}, pods="0"))
        await make(plane, "first", spreading(spread()), app="web")
        await make(plane, "second", spreading(spread()), app="web")
        await plane.delete(POD, "first")
        await plane.quiet()
        assert await node_of(plane, "second") == "a"


async def test_labels_of_pods_and_namespaces_that_change_are_seen() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await three_nodes(plane)
        await make(plane, "db", app="cache")
        red = term({"app": "db"}, HOST, namespaceSelector={"matchLabels": {"team": "red"}})
        await make(plane, "web", beside(red), app="web")
        db = await found(plane, "db")
        db.metadata.labels["app"] = "db"
        await plane.update(db)
        await plane.quiet()
        assert await node_of(plane, "web") == ""
        shop = await plane.find(NAMESPACE, "shop", namespace="")
        assert isinstance(shop, Namespace)
        shop.metadata.labels["team"] = "red"
        await plane.update(shop)
        await plane.quiet()
        assert await node_of(plane, "web") == await node_of(plane, "db")


async def test_pods_that_ran_before_the_scheduler_are_kept_apart_from() -> None:
    async with a_plane(nodes=0) as plane:
        await three_nodes(plane)
        await make(plane, "alone", away(term({"app": "web"}, HOST)), node="n0", app="web")
        await make(plane, "plain", node="n1", app="web")
        await plane.start()
        for at in range(4):
            await make(plane, f"web-{at}", app="web")
        placed = [await node_of(plane, f"web-{at}") for at in range(4)]
        assert sorted(placed) == ["n1", "n1", "n2", "n2"]
        await make(plane, "another", away(term({"app": "web"}, HOST)), app="web")
        assert await node_of(plane, "another") == ""


async def test_a_claim_that_is_going_keeps_pods_away() -> None:
    async with a_plane() as plane:
        await plane.start()
        claim = PersistentVolumeClaim()
        claim.metadata.namespace, claim.metadata.name = "shop", "data"
        claim.metadata.finalizers.append("example.com/held")
        claim.spec.access_modes.append("ReadWriteOnce")
        claim.spec.resources.requests["storage"].string = "1Gi"
        await plane.create(claim)
        await plane.delete(PERSISTENT_VOLUME_CLAIM, "data")
        pod = a_pod("web", owner="", node="", phase="")
        pod.metadata.ClearField("uid")
        pod.spec.volumes.add(name="data").volume_source.persistent_volume_claim.claim_name = "data"
        await plane.create(pod)
        await plane.quiet()
        assert await node_of(plane, "web") == ""
        (event,) = await plane.events("FailedScheduling")
        assert event.message == available(2, 'persistentvolumeclaim "data" is being deleted', lasting=2)
