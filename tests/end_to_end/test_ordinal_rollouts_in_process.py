"""StatefulSets and DaemonSets on a whole plane with simulated kubelets: updates and what hinders them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import Container, Event, Node, PersistentVolumeClaim, Pod
from rollplane_machinery.api import RolloutState
from rollplane_machinery.codec import from_json
from rollplane_machinery.extensions import AUTO_ROLLBACK, AUTO_ROLLED_BACK, HEAL_STUCK_ROLLOUT
from rollplane_machinery.kinds import ApiObject
from rollplane_rehearsal import run
from tests.end_to_end.fleet_plane import NAMESPACE, FleetPlane, fleet_plane

Workload = Deployment | StatefulSet | DaemonSet
KINDS: dict[str, type[Workload]] = {"Deployment": Deployment, "StatefulSet": StatefulSet, "DaemonSet": DaemonSet}
NODES = 3
BAD = "app:404"
"""An image that no simulated kubelet can pull."""


async def create(plane: FleetPlane, kind: str, *, annotations: dict[str, str] | None = None, **spec: Any) -> None:
    """Create a workload called app of version 1, of three pods or one a node."""
    sized = {} if kind == "DaemonSet" else {"replicas": 3}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "app", "namespace": NAMESPACE, "annotations": annotations or {}},
        "spec": {
            "selector": {"matchLabels": {"app": "app"}},
            "template": {
                "metadata": {"labels": {"app": "app"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}], "terminationGracePeriodSeconds": 1},
            },
            **sized,
            **spec,
        },
    }
    await plane.client.create(from_json(manifest))


async def workload(plane: FleetPlane, kind: str) -> Workload:
    return await plane.client.get(KINDS[kind], NAMESPACE, "app")


async def edit(plane: FleetPlane, kind: str, change: Callable[[Any], None]) -> None:
    message = await workload(plane, kind)
    change(message)
    await plane.client.update(message)


async def set_image(plane: FleetPlane, kind: str, image: str) -> None:
    await plane.client.set_image(KINDS[kind], NAMESPACE, "app", {"app": image})


async def images(plane: FleetPlane) -> list[str]:
    """Return the images of all pods, by their pods' names."""
    pods = sorted(await plane.pods(), key=lambda pod: pod.metadata.name)
    return [pod.spec.containers[0].image for pod in pods]


def is_available(message: Workload) -> bool:
    """Tell whether the present template runs and is available wherever it should."""
    if message.status.observed_generation < message.metadata.generation:
        return False
    if isinstance(message, DaemonSet):
        status, wanted = message.status, message.status.desired_number_scheduled
        return wanted > 0 and status.updated_number_scheduled == status.number_available == wanted
    counts = {message.status.updated_replicas, message.status.available_replicas, message.status.replicas}
    return counts == {message.spec.replicas}


async def rolled_out(plane: FleetPlane, kind: str, image: str, *, seconds: float = 300) -> None:
    """Wait until every pod runs ``image`` and is available."""

    async def holds() -> bool:
        return is_available(await workload(plane, kind)) and set(await images(plane)) == {image}

    await plane.until(holds, seconds, f"{kind} never runs {image} everywhere")


async def stays(plane: FleetPlane, kind: str, seconds: float = 120) -> None:
    """Let time pass."""
    await plane.clock.sleep(seconds)


ORDINAL = ("StatefulSet", "DaemonSet")


@pytest.mark.parametrize("kind", ORDINAL)
def test_update_and_undo(kind: str) -> None:
    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, kind)
            await rolled_out(plane, kind, "app:v1")
            await set_image(plane, kind, "app:v2")
            await rolled_out(plane, kind, "app:v2")
            await plane.client.undo(KINDS[kind], NAMESPACE, "app")
            await rolled_out(plane, kind, "app:v1")
            revisions = await plane.client.history(KINDS[kind], NAMESPACE, "app")
            assert [one.number for one in revisions] == [2, 3]

    run(story())


@pytest.mark.parametrize("kind", ORDINAL)
def test_controller_replaced_midway(kind: str) -> None:
    """Another process goes on where the first one stopped; the invariant checker sees no pod too many."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, kind, minReadySeconds=5)
            await rolled_out(plane, kind, "app:v1")
            await set_image(plane, kind, "app:v2")

            async def begun() -> bool:
                return "app:v2" in await images(plane)

            await plane.until(begun, 60, "the update never begins")
            assert "app:v1" in await images(plane)
            await plane.faults.stop_controller()
            await plane.faults.add_controller()
            await rolled_out(plane, kind, "app:v2")

    run(story())


def test_stuck_stateful_set_stays_stuck_until_its_pod_is_deleted() -> None:
    """docs/semantics/statefulset.md section 9, as on Kubernetes."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "StatefulSet")
            await rolled_out(plane, "StatefulSet", "app:v1")
            await set_image(plane, "StatefulSet", BAD)
            await stays(plane, "StatefulSet")
            await set_image(plane, "StatefulSet", "app:v1")
            await stays(plane, "StatefulSet")
            assert await images(plane) == ["app:v1", "app:v1", BAD]
            await plane.client.delete(Pod, NAMESPACE, "app-2")
            await rolled_out(plane, "StatefulSet", "app:v1")

    run(story())


def test_stuck_stateful_set_heals_when_asked_to() -> None:
    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "StatefulSet", annotations={HEAL_STUCK_ROLLOUT: "true"})
            await rolled_out(plane, "StatefulSet", "app:v1")
            await set_image(plane, "StatefulSet", BAD)
            await stays(plane, "StatefulSet")
            assert await images(plane) == ["app:v1", "app:v1", BAD]
            await set_image(plane, "StatefulSet", "app:v3")
            await rolled_out(plane, "StatefulSet", "app:v3")
            assert await plane.messages("HealedStuckRollout")

    run(story())


def test_bad_image_of_a_daemon_set_stops_at_max_unavailable() -> None:
    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "DaemonSet")
            await rolled_out(plane, "DaemonSet", "app:v1")
            await set_image(plane, "DaemonSet", BAD)
            await stays(plane, "DaemonSet")
            assert sorted(await images(plane)) == [BAD, "app:v1", "app:v1"]
            await set_image(plane, "DaemonSet", "app:v2")
            await rolled_out(plane, "DaemonSet", "app:v2")

    run(story())


@pytest.mark.parametrize("kind", KINDS)
def test_bad_image_is_rolled_back_once(kind: str) -> None:
    """Opted in: back to what was available, said in an event, and not again when the same is applied again."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, kind, annotations={AUTO_ROLLBACK: "true"})
            await rolled_out(plane, kind, "app:v1")
            await set_image(plane, kind, BAD)

            async def given_up() -> bool:
                return AUTO_ROLLED_BACK in (await workload(plane, kind)).metadata.annotations

            await plane.until(given_up, 120, "nobody rolls back")
            await rolled_out(plane, kind, "app:v1")
            (told,) = await _auto_rollbacks(plane)
            assert "cannot be pulled: not found" in told.message
            assert told.count == 1
            if kind == "Deployment":
                conditions = (await workload(plane, kind)).status.conditions
                assert [one.reason for one in conditions if one.type == "AutoRollback"] == ["ErrImagePull"]
            for _ in range(2):
                state, reason, message = await last_look(plane, kind)
                assert (state, reason) == (RolloutState.FAILED, "AutoRollback")
                assert 'was rolled back automatically from revision 2 ("app-' in message
                assert message.endswith("(ErrImagePull)")
                await stays(plane, kind, 700)
            await set_image(plane, kind, BAD)
            await stays(plane, kind, 700)
            template = (await workload(plane, kind)).spec.template
            assert template.spec.containers[0].image == BAD
            assert len(await _auto_rollbacks(plane)) == 1
            await set_image(plane, kind, "app:v2")
            if kind == "StatefulSet":
                assert HEAL_STUCK_ROLLOUT not in (await workload(plane, kind)).metadata.annotations
            await rolled_out(plane, kind, "app:v2")
            assert (await last_look(plane, kind))[:2] == (RolloutState.DONE, "")

    run(story())


async def last_look(plane: FleetPlane, kind: str) -> tuple[RolloutState, str, str]:
    """Return state, reason and message of the last look at the rollout."""
    async with plane.client.rollout_status(KINDS[kind], NAMESPACE, "app") as looks:
        (*_, last) = [look async for look in looks]
    return last.state, last.reason, last.message


async def _auto_rollbacks(plane: FleetPlane) -> list[Event]:
    await plane.clock.sleep(5)  # events leave last
    return [event for event in await plane.client.list(Event) if event.reason == "AutoRollback"]


def test_passed_deadline_is_rolled_back() -> None:
    """The new pods are never ready, for their probe waits too long: only the deadline tells."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "Deployment", annotations={AUTO_ROLLBACK: "true"}, progressDeadlineSeconds=30)
            await rolled_out(plane, "Deployment", "app:v1")

            def never_fits(deployment: Deployment) -> None:
                container: Container = deployment.spec.template.spec.containers[0]
                container.resources.requests["cpu"].string = "100000"

            await edit(plane, "Deployment", never_fits)

            async def given_up() -> bool:
                return AUTO_ROLLED_BACK in (await workload(plane, "Deployment")).metadata.annotations

            await plane.until(given_up, 120, "nobody rolls back")
            await rolled_out(plane, "Deployment", "app:v1")
            (told,) = await _auto_rollbacks(plane)
            assert "its progress deadline has passed" in told.message

    run(story())


def test_daemon_follows_its_nodes() -> None:
    """A node added gets its pod, one that is labelled away or tainted NoExecute loses it, NoSchedule keeps it."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "DaemonSet")
            await edit(plane, "DaemonSet", lambda one: one.spec.template.spec.node_selector.update({"logs": "yes"}))
            await _daemons_on(plane)
            for name in ("node-0", "node-1"):
                await _edit_node(plane, name, lambda node: node.metadata.labels.update({"logs": "yes"}))
            await _daemons_on(plane, "node-0", "node-1")
            await _edit_node(plane, "node-0", lambda node: node.metadata.labels.pop("logs"))
            await _daemons_on(plane, "node-1")
            await _edit_node(plane, "node-1", lambda node: node.spec.taints.add(key="a", effect="NoSchedule"))
            await plane.clock.sleep(30)
            status = (await workload(plane, "DaemonSet")).status
            assert (status.desired_number_scheduled, status.number_misscheduled) == (0, 1)  # type: ignore[union-attr]
            await _edit_node(plane, "node-1", lambda node: node.spec.taints.add(key="a", effect="NoExecute"))
            await _daemons_on(plane)

    run(story())


async def _edit_node(plane: FleetPlane, name: str, change: Callable[[Node], object]) -> None:
    node = await plane.node(name)
    change(node)
    await plane.client.update(node)


async def _daemons_on(plane: FleetPlane, *nodes: str) -> None:
    async def holds() -> bool:
        pods = await plane.pods()
        return sorted(pod.spec.node_name for pod in pods) == list(nodes)

    await plane.until(holds, 60, f"the daemon never runs on {nodes or 'no node'}")


def test_daemon_pods_stay_on_a_lost_node() -> None:
    """docs/semantics/daemonset.md section 2: they tolerate the loss without end."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            await create(plane, "DaemonSet")
            await rolled_out(plane, "DaemonSet", "app:v1")
            before = {pod.metadata.uid for pod in await plane.pods()}
            plane.silence("node-1")
            await plane.clock.sleep(500)
            assert {pod.metadata.uid for pod in await plane.pods()} == before
            status = (await workload(plane, "DaemonSet")).status
            # Its taint keeps new daemons away: it is none of the nodes that should run one, and has one all the same.
            assert (status.number_available, status.number_misscheduled) == (2, 1)  # type: ignore[union-attr]
            plane.silence()
            await rolled_out(plane, "DaemonSet", "app:v1")

    run(story())


def test_former_daemon_set_is_updated_and_rolled_back_by_hand() -> None:
    """docs/semantics/daemonset.md section 9: extensions/v1beta1 is OnDelete; the way back is the former template."""

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            template = {
                "metadata": {"labels": {"app": "app"}},
                "spec": {"containers": [{"name": "app", "image": "app:v1"}], "terminationGracePeriodSeconds": 1},
            }
            manifest = {
                "apiVersion": "extensions/v1beta1",
                "kind": "DaemonSet",
                "metadata": {"name": "app", "namespace": NAMESPACE},
                "spec": {"template": template},
            }
            await plane.client.create(from_json(manifest))
            await rolled_out(plane, "DaemonSet", "app:v1")
            await set_image(plane, "DaemonSet", "app:v2")
            await stays(plane, "DaemonSet")
            assert await images(plane) == ["app:v1"] * NODES
            first = (await plane.pods())[0].metadata.name
            await plane.client.delete(Pod, NAMESPACE, first)
            await _images_become(plane, ["app:v1", "app:v1", "app:v2"])
            await set_image(plane, "DaemonSet", "app:v1")
            (updated,) = [pod for pod in await plane.pods() if pod.spec.containers[0].image == "app:v2"]
            await plane.client.delete(Pod, NAMESPACE, updated.metadata.name)
            await rolled_out(plane, "DaemonSet", "app:v1")

    run(story())


async def _images_become(plane: FleetPlane, wanted: list[str]) -> None:
    async def holds() -> bool:
        return sorted(await images(plane)) == wanted

    await plane.until(holds, 60, f"pods never run {wanted}")


CLAIMS: dict[str, tuple[str, str, list[str], list[str]]] = {
    # whenScaled, whenDeleted: the claims left after scaling to 1, and after the set was deleted
    "retained": (
        "Retain",
        "Retain",
        ["data-app-0", "data-app-1", "data-app-2"],
        ["data-app-0", "data-app-1", "data-app-2"],
    ),
    "deleted with their pods": ("Delete", "Retain", ["data-app-0"], ["data-app-0"]),
    "deleted with the set": ("Retain", "Delete", ["data-app-0", "data-app-1", "data-app-2"], []),
    "deleted with either": ("Delete", "Delete", ["data-app-0"], []),
}


@pytest.mark.parametrize(("scaled", "deleted", "after_scaling", "after_deletion"), CLAIMS.values(), ids=CLAIMS)
def test_claims(scaled: str, deleted: str, after_scaling: list[str], after_deletion: list[str]) -> None:
    """docs/semantics/statefulset.md section 8: made before their pods, bound at once, kept through updates."""
    size = {"requests": {"storage": "1Gi"}}
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": size}}

    async def story() -> None:
        async with fleet_plane(NODES) as plane:
            policy = {"whenScaled": scaled, "whenDeleted": deleted}
            await create(
                plane, "StatefulSet", volumeClaimTemplates=[claim], persistentVolumeClaimRetentionPolicy=policy
            )
            await rolled_out(plane, "StatefulSet", "app:v1")
            claims = await plane.client.list(PersistentVolumeClaim, NAMESPACE)
            assert [one.status.phase for one in claims] == ["Bound"] * 3
            await set_image(plane, "StatefulSet", "app:v2")
            await rolled_out(plane, "StatefulSet", "app:v2")
            kept = await plane.client.list(PersistentVolumeClaim, NAMESPACE)
            assert [one.metadata.uid for one in kept] == [one.metadata.uid for one in claims]
            await plane.client.scale(StatefulSet, NAMESPACE, "app", 1)
            await rolled_out(plane, "StatefulSet", "app:v2")
            await _claims_become(plane, after_scaling)
            await plane.client.scale(StatefulSet, NAMESPACE, "app", 2)
            await rolled_out(plane, "StatefulSet", "app:v2")
            await plane.client.scale(StatefulSet, NAMESPACE, "app", 1)
            await rolled_out(plane, "StatefulSet", "app:v2")
            await _claims_become(plane, after_scaling)
            await plane.client.delete(StatefulSet, NAMESPACE, "app")
            await _claims_become(plane, after_deletion)
            await _gone(plane, Pod)
            await _gone(plane, ControllerRevision)

    run(story())


async def _claims_become(plane: FleetPlane, wanted: list[str]) -> None:
    async def holds() -> bool:
        claims = await plane.client.list(PersistentVolumeClaim, NAMESPACE)
        return sorted(one.metadata.name for one in claims) == wanted

    await plane.until(holds, 120, f"the claims never are {wanted}")


async def _gone(plane: FleetPlane, kind: type[ApiObject]) -> None:
    async def holds() -> bool:
        return not await plane.client.list(kind, NAMESPACE)

    await plane.until(holds, 120, f"{kind.__name__}s are left over")
