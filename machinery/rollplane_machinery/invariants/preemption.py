"""Who is preempted, and for whose sake: no pod goes but for a more urgent one that its node is kept for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_machinery.conditions import TRUE, get_condition
from rollplane_machinery.pods import DISRUPTION_TARGET

PREEMPTED = "PreemptionByScheduler"


@dataclass(slots=True)
class _Facts:
    name: str
    priority: int
    node: str
    nominated: str
    preempted: bool


class PreemptionRules:
    """Follows pods; of those that wait it remembers for which a node is kept."""

    def __init__(self) -> None:
        self._pods: dict[str, _Facts] = {}

    def put_pod(self, message: Pod) -> Iterator[tuple[str, str]]:
        """Take in a pod; yield the subjects and texts of promises that this breaks."""
        before = self._pods.get(message.metadata.uid)
        now = self._pods[message.metadata.uid] = _facts(message)
        if now.preempted and not (before is not None and before.preempted) and not self._makes_way(now):
            yield now.name, f"preempted on {now.node}, which is kept for nobody of a priority above {now.priority}"

    def remove(self, uid: str) -> None:
        """Forget a pod that is gone."""
        self._pods.pop(uid, None)

    def _makes_way(self, victim: _Facts) -> bool:
        waiting = (one for one in self._pods.values() if not one.node and one.nominated == victim.node)
        return any(one.priority > victim.priority for one in waiting)


def _facts(pod: Pod) -> _Facts:
    said = get_condition(pod.status.conditions, DISRUPTION_TARGET)
    return _Facts(
        f"{pod.metadata.namespace}/{pod.metadata.name}",
        pod.spec.priority,
        pod.spec.node_name,
        pod.status.nominated_node_name,
        said is not None and said.status == TRUE and said.reason == PREEMPTED,
    )
