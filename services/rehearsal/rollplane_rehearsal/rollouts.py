"""How far all rollouts of a plane are, in the words of ``kubectl rollout status``."""

from __future__ import annotations

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane_apiserver.rollout.progress import look_at
from rollplane_client.objects import Client
from rollplane_machinery.api import RolloutStatus
from rollplane_machinery.kinds import kind_of

Workload = Deployment | StatefulSet | DaemonSet
WORKLOADS: tuple[type[Workload], ...] = (Deployment, StatefulSet, DaemonSet)

ROLLING_UPDATE = "RollingUpdate"


async def workloads(client: Client) -> list[Workload]:
    """Return all workloads, by kind, namespace and name."""
    found: list[Workload] = []
    for message_type in WORKLOADS:
        found += await client.list(message_type)
    return found


async def look_at_all(client: Client) -> dict[str, RolloutStatus]:
    """Return how far each rollout is, by ``kind/namespace/name``.

    StatefulSets and DaemonSets that replace pods only when they are deleted have no rollout that could be told of.
    """
    return {name_of(one): look_at(one) for one in await workloads(client) if has_rollout(one)}


def name_of(workload: Workload) -> str:
    """Return ``deployment/shop/web``."""
    metadata = workload.metadata
    return f"{kind_of(workload).singular}/{metadata.namespace}/{metadata.name}"


def has_rollout(workload: Workload) -> bool:
    """Return whether updates of the workload roll out by themselves."""
    return isinstance(workload, Deployment) or workload.spec.update_strategy.type == ROLLING_UPDATE
