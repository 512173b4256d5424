"""The pods of a load, followed one by one: only loads that touch single pods or nodes pay for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_load.subjects import LABEL
from rollplane_machinery.api import EventType, WatchEvent
from rollplane_machinery.kinds import DAEMON_SET
from rollplane_machinery.metadata import controller_of, is_being_deleted
from rollplane_machinery.pods import is_pod_ready


@dataclass(frozen=True, slots=True)
class Known:
    """A pod as it was last seen; one ``of_node`` is a DaemonSet's, and stays when its node is drained."""

    name: str
    subject: str
    node: str
    ready: bool
    leaving: bool
    of_node: bool


class PodBook:
    """Which pods there are, by uid, and whose they are by the label that every pod of a load bears."""

    def __init__(self) -> None:
        self._pods: dict[str, Known] = {}
        self._by_subject: dict[str, set[str]] = defaultdict(set)

    def take(self, event: WatchEvent) -> None:
        """Take in a change of a pod."""
        pod = Pod.FromString(event.object.value)
        uid, subject = pod.metadata.uid, pod.metadata.labels.get(LABEL, "")
        if event.type is EventType.DELETED:
            self._pods.pop(uid, None)
            self._by_subject[subject].discard(uid)
            return
        leaving = is_being_deleted(pod.metadata)
        owner = controller_of(pod.metadata)
        of_node = owner is not None and owner.kind == DAEMON_SET.name
        self._pods[uid] = Known(pod.metadata.name, subject, pod.spec.node_name, is_pod_ready(pod), leaving, of_node)
        self._by_subject[subject].add(uid)

    def clear(self) -> None:
        """Forget all, before they are told anew."""
        self._pods.clear()
        self._by_subject.clear()

    def there(self, uid: str) -> bool:
        """Tell whether that very pod is there still."""
        return uid in self._pods

    def of_subject(self, subject: str) -> dict[str, Known]:
        """Return the pods of a workload that stay, by uid, in the order of their names."""
        found = {uid: self._pods[uid] for uid in self._by_subject.get(subject, ())}
        return {uid: pod for uid, pod in sorted(found.items(), key=lambda each: each[1].name) if not pod.leaving}

    def on_node(self, node: str) -> dict[str, Known]:
        """Return the pods on a node, by uid."""
        return {uid: pod for uid, pod in self._pods.items() if pod.node == node}

    def nodes(self) -> list[str]:
        """Return the nodes that pods are on, by name."""
        return sorted({pod.node for pod in self._pods.values() if pod.node})

    def names(self) -> list[str]:
        """Return the names of all pods that are ready and stay."""
        return sorted(pod.name for pod in self._pods.values() if pod.ready and not pod.leaving)

    def whole(self, subject: str, desired: int) -> bool:
        """Tell whether a workload has ``desired`` ready pods and none that leaves."""
        pods = [self._pods[uid] for uid in self._by_subject.get(subject, ())]
        return len(pods) == desired and all(pod.ready and not pod.leaving for pod in pods)
