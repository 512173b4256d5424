"""What is taken on nodes, by pods that run and by those that a place is kept for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rollplane_planners.scheduling.nodes import Room
from rollplane_planners.scheduling.tallies import Neighbours, Placed, Pods


class Occupancy:
    """Rooms by node, and the neighbours that constraints count. ``pods`` yields those that were added."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._kept: dict[str, tuple[str, Placed]] = {}
        self._priorities: Counter[int] = Counter()
        self.rooms: dict[str, Room] = defaultdict(Room)
        self.neighbours = Neighbours(self._counted)

    def _counted(self, namespaces: Iterable[str] | None) -> Iterator[tuple[str, Placed]]:
        yield from self._pods(namespaces)
        for node, pod in self._kept.values():
            if namespaces is None or pod.namespace in namespaces:
                yield node, pod

    # Room.

    def take(self, node: str, pod: Placed) -> bool:
        """Take room for a pod; tells whether constraints count it."""
        self.rooms[node].take(pod.requests, pod.host_ports)
        return self.neighbours.add(node, pod, 1)

    def free(self, node: str, pod: Placed) -> None:
        """Give back what was taken for a pod."""
        self.rooms[node].free(pod.requests, pod.host_ports)
        self.neighbours.add(node, pod, -1)

    # Pods that run.

    def add(self, node: str, pod: Placed) -> bool:
        """Let a pod run on a node; tells as ``take`` does."""
        self.rooms[node].tenants[pod.uid] = pod
        self._priorities[pod.priority] += 1
        return self.take(node, pod)

    def remove(self, node: str, pod: Placed) -> None:
        """Let a pod run no more."""
        self.rooms[node].tenants.pop(pod.uid, None)
        self._priorities[pod.priority] -= 1
        if not self._priorities[pod.priority]:
            del self._priorities[pod.priority]
        self.free(node, pod)

    def runs_below(self, priority: int) -> bool:
        """Tell whether any pod of a lower priority runs."""
        return any(one < priority for one in self._priorities)

    # Places that are kept.

    @property
    def keeps_any(self) -> bool:
        """Whether a place is kept for any pod."""
        return bool(self._kept)

    def kept_for(self, uid: str) -> str:
        """Return the node on which a place is kept for a pod, "" for none."""
        return self._kept[uid][0] if uid in self._kept else ""

    def kept_on(self, node: str) -> list[Placed]:
        """Return the pods that a place is kept for on a node."""
        return [pod for on, pod in self._kept.values() if on == node]

    def keep(self, node: str, pod: Placed) -> None:
        """Keep a place for a pod on a node, and on no other."""
        self.keep_no_more(pod.uid)
        self.take(node, pod)
        self._kept[pod.uid] = node, pod

    def keep_no_more(self, uid: str) -> str:
        """Keep no place for a pod; return the node on which one was kept, "" for none."""
        node, pod = self._kept.pop(uid, ("", None))
        if pod is not None:
            self.free(node, pod)
        return node

    @contextmanager
    def without_kept(self, uid: str, below: int) -> Iterator[list[str]]:
        """Let the places of a pod, and of pods of a priority ``below`` that, be free meanwhile; yields their nodes."""
        lifted = [one for one in self._kept.values() if one[1].uid == uid or one[1].priority < below]
        for _, pod in lifted:
            self.keep_no_more(pod.uid)
        try:
            yield [node for node, _ in lifted]
        finally:
            for node, pod in lifted:
                self.keep(node, pod)
