"""How far all rollouts of a plane are, in the words of ``kubectl rollout status``."""

from __future__ import annotations

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane_apiserver.rollout.progress import look_at
from rollplane_machinery.api import EventType, Key, RolloutState, RolloutStatus
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Encoded, kind_of
from rollplane_rehearsal.event_log import EventLog, Logged

Workload = Deployment | StatefulSet | DaemonSet

KINDS = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)
ROLLING_UPDATE = "RollingUpdate"


class RolloutLooks:
    """Follows the log, and looks at each workload once for each of its changes, when somebody asks.

    StatefulSets and DaemonSets that replace pods only when they are deleted have no rollout that could be told of.
    """

    def __init__(self, log: EventLog) -> None:
        self._changed: dict[Key, Encoded | None] = {}
        self._looks: dict[Key, RolloutStatus] = {}
        log.listen(self._note)

    def _note(self, change: Logged) -> None:
        if change.object.kind in KINDS:
            self._changed[change.object.key] = None if change.type is EventType.DELETED else change.object

    @property
    def looks(self) -> dict[Key, RolloutStatus]:
        """How far each rollout is, by the workload's key, in the order in which workloads came."""
        for key, encoded in self._changed.items():
            workload = encoded.parse() if encoded is not None else None
            if isinstance(workload, Workload) and has_rollout(workload):
                self._looks[key] = look_at(workload)
            else:
                self._looks.pop(key, None)
        self._changed.clear()
        return self._looks

    def unfinished(self) -> list[RolloutStatus]:
        """Return the looks at those rollouts that are not done."""
        return [look for look in self.looks.values() if look.state is not RolloutState.DONE]


def name_of(workload: Workload) -> str:
    """Return ``deployment/shop/web``."""
    metadata = workload.metadata
    return f"{kind_of(workload).singular}/{metadata.namespace}/{metadata.name}"


def has_rollout(workload: Workload) -> bool:
    """Return whether updates of the workload roll out by themselves."""
    return isinstance(workload, Deployment) or workload.spec.update_strategy.type == ROLLING_UPDATE
