"""A plane of the rehearsal room as tests of node lives and rollouts want it, which must keep every promise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Container, Event, Node, Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.int_or_string import of
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_rehearsal import Plane
from rollplane_rehearsal.plane import PATIENCE_SECONDS, Condition

NAMESPACE = "default"
MOMENT_SECONDS = 0.1
INSTANT = Profile("instant")
"""Unlike the shipped one it tells everything."""


class FleetPlane(Plane):
    """The running plane; ``client`` is an admin's."""

    async def until(
        self, holds: Condition, seconds: float = PATIENCE_SECONDS, otherwise: str = "what was waited for never came"
    ) -> float:
        """As every plane's, and a moment longer: whoever looks is not as quick as the controllers."""
        took = await super().until(holds, seconds, otherwise)
        await self.advance(MOMENT_SECONDS)
        return took

    def silence(self, *nodes: str) -> None:
        """Make these nodes silent, and no others."""
        self.live_by(silent_nodes=nodes)

    def live_by(self, *, silent_nodes: tuple[str, ...] = (), unready_nodes: tuple[str, ...] = ()) -> None:
        """Let these nodes be silent, and those report themselves not ready."""
        self.faults.live_by(replace(INSTANT, silent_nodes=silent_nodes, unready_nodes=unready_nodes))

    async def node(self, name: str) -> Node:
        return await self.client.get(Node, "", name)

    async def pods(self, *, node: str = "") -> list[Pod]:
        pods = await self.client.list(Pod, NAMESPACE)
        return [pod for pod in pods if not node or pod.spec.node_name == node]

    async def available(self, deployment: str) -> int:
        return (await self.client.get(Deployment, NAMESPACE, deployment)).status.available_replicas

    async def messages(self, reason: str) -> list[str]:
        """Return what all events with this reason say."""
        return [event.message for event in await self.client.list(Event) if event.reason == reason]

    async def deploy(self, name: str, replicas: int, *, toleration_seconds: int | None = None) -> None:
        """Create a Deployment of pods that bear a lost node for some seconds (None: as long as all do, 300)."""
        deployment = Deployment()
        deployment.metadata.namespace, deployment.metadata.name = NAMESPACE, name
        deployment.spec.replicas = replicas
        deployment.spec.selector.match_labels["app"] = name
        deployment.spec.template.metadata.labels["app"] = name
        spec = deployment.spec.template.spec
        spec.containers.append(Container(name="app", image="app:v1"))
        if toleration_seconds is not None:
            for key in ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"):
                spec.tolerations.add(
                    key=key, operator="Exists", effect="NoExecute", toleration_seconds=toleration_seconds
                )
        await self.client.create(deployment)

    async def protect(self, name: str, *, min_available: int | str) -> None:
        """Create a budget for the pods of the Deployment ``name``."""
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = NAMESPACE, name
        budget.spec.selector.match_labels["app"] = name
        budget.spec.min_available.CopyFrom(of(min_available))
        await self.client.create(budget)

    async def budget(self, name: str) -> PodDisruptionBudget:
        return await self.client.get(PodDisruptionBudget, NAMESPACE, name)

    async def replica_set_of(self, name: str) -> ReplicaSet:
        sets = await self.client.list(ReplicaSet, NAMESPACE)
        return next(one for one in sets if one.metadata.name.startswith(name))


SETTLING_SECONDS, RESTING_SECONDS = 120.0, 30.0
"""In virtual time: how long what was begun may take to its end, and how long nothing may be written then."""


@asynccontextmanager
async def fleet_plane(
    nodes: int = 3,
    *,
    times: NodeTimes | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    release: Release = LATEST,
) -> AsyncIterator[FleetPlane]:
    """Run a plane with nodes node-0, node-1 and so on; ``labels`` are put on nodes by name.

    Checks at the end that no invariant was broken.
    """
    async with FleetPlane(nodes, profile=INSTANT, release=release, node_times=times) as plane:
        for name, added in (labels or {}).items():
            node = await plane.node(name)
            node.metadata.labels.update(added)
            await plane.client.update(node)
        yield plane
        await plane.advance(SETTLING_SECONDS)
        violations = await plane.check_at_rest(RESTING_SECONDS)
    assert not violations, "\n".join(map(str, violations))
