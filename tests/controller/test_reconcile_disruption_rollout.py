"""A budget in the middle of a rollout: the pods of two ReplicaSets are those of one Deployment, wanted once."""

from __future__ import annotations

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Container, Namespace
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery import int_or_string
from rollplane_machinery.api import Key, SetImage
from rollplane_machinery.kinds import DEPLOYMENT, POD_DISRUPTION_BUDGET
from rollplane_machinery.metadata import is_being_deleted
from rollplane_rehearsal import in_virtual_time
from tests.end_to_end.in_process import HandPlane, in_process_plane

NAMESPACE = "shop"


def _deployment() -> Deployment:
    deployment = Deployment()
    deployment.metadata.namespace, deployment.metadata.name = NAMESPACE, "web"
    deployment.spec.replicas = 4
    deployment.spec.strategy.type = "RollingUpdate"
    deployment.spec.strategy.rolling_update.max_surge.CopyFrom(int_or_string.of(0))
    deployment.spec.strategy.rolling_update.max_unavailable.CopyFrom(int_or_string.of(1))
    deployment.spec.selector.match_labels["app"] = "web"
    deployment.spec.template.metadata.labels["app"] = "web"
    deployment.spec.template.spec.containers.append(Container(name="c", image="app:1"))
    return deployment


def _budget() -> PodDisruptionBudget:
    budget = PodDisruptionBudget()
    budget.metadata.namespace, budget.metadata.name = NAMESPACE, "web"
    budget.spec.selector.match_labels["app"] = "web"
    budget.spec.max_unavailable.CopyFrom(int_or_string.of(2))
    return budget


async def _counts(plane: HandPlane) -> tuple[int, int, int]:
    budget = await plane.get(POD_DISRUPTION_BUDGET, NAMESPACE, "web")
    assert isinstance(budget, PodDisruptionBudget)
    status = budget.status
    return status.expected_pods, status.desired_healthy, status.disruptions_allowed


@in_virtual_time
async def test_a_rollout_wants_no_more_pods_than_the_deployment_does() -> None:
    async with in_process_plane() as plane:
        namespace = Namespace()
        namespace.metadata.name = NAMESPACE
        for made in (namespace, _deployment(), _budget()):
            await plane.create(made)
        await plane.quiet()
        await plane.set_ready(await plane.pods(NAMESPACE), ready=True)
        await plane.quiet()
        assert await _counts(plane) == (4, 2, 2)
        await plane.api.set_image(SetImage(Key(DEPLOYMENT, NAMESPACE, "web"), {"*": "app:2"}))
        await plane.quiet()
        await plane.finish([pod for pod in await plane.pods(NAMESPACE) if is_being_deleted(pod.metadata)])
        await plane.quiet()
        assert {pod.spec.containers[0].image for pod in await plane.pods(NAMESPACE)} == {"app:1", "app:2"}
        assert await _counts(plane) == (4, 2, 1)
