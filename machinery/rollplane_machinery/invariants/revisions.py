"""What is promised of the history that workloads keep, judged from the same stream.

A workload never has more revisions (ReplicaSets, ControllerRevisions) that were made for it than its template was set.
Those that have been cut loose from it count: it made them. A template that returns may be given a revision anew when
history has dropped its old one, so that times are counted, not different templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane_machinery.metadata import controller_uid

Workload = Deployment | StatefulSet | DaemonSet


class RevisionRules:
    """Counts templates and the revisions made for them, by the workload's uid."""

    def __init__(self) -> None:
        self._templates: dict[str, bytes] = {}
        self._set: Counter[str] = Counter()
        self._made: Counter[str] = Counter()
        self._maker: dict[str, str] = {}

    def put_workload(self, message: Workload) -> None:
        """Take note of a workload as it is now."""
        uid, template = message.metadata.uid, message.spec.template.SerializeToString(deterministic=True)
        former = self._templates.get(uid)
        if former != template:
            self._templates[uid] = template
            self._set[uid] += 1 + (_unseen(message) if former is None else 0)

    def add_revision(self, message: ReplicaSet | ControllerRevision) -> Iterator[tuple[str, str]]:
        """Count a revision that has come into being; yield what that breaks, as subject and text."""
        maker = controller_uid(message.metadata)
        if maker not in self._templates:
            return
        self._maker[message.metadata.uid] = maker
        self._made[maker] += 1
        if self._made[maker] > self._set[maker]:
            text = f"revision {self._made[maker]} of a workload whose template was set {self._set[maker]} times"
            yield f"{message.metadata.namespace}/{message.metadata.name}", text

    def remove(self, uid: str) -> None:
        """Forget the revision with that uid; a workload's counts stay, for its revisions may outlive it."""
        maker = self._maker.pop(uid, None)
        if maker is not None:
            self._made[maker] -= 1


def _unseen(message: Workload) -> int:
    """Return how often its template may have been set before one first saw it, without a revision for it yet."""
    return max(0, message.metadata.generation - max(message.status.observed_generation, 1))
