"""Which pods the nodes of a fleet have taken on, and what is left of each node for the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from rollplane.core.v1 import Node, Pod
from rollplane_kubelet_sim.stages.rejection import Asked, Rejection, rejection_of
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import NODE, Encoded
from rollplane_machinery.pods import is_pod_finished
from rollplane_machinery.releases import Release
from rollplane_planners.scheduling.demand import host_ports_of, requests_of
from rollplane_planners.scheduling.nodes import NodeView, Room, node_view


class Admissions:
    """Takes pods on, or tells why not. ``stored`` returns a node as last seen; one that is not seen refuses nobody."""

    def __init__(self, stored: Callable[[Key], Encoded | None], release: Release) -> None:
        self._stored = stored
        self._release = release
        self._rooms: dict[str, Room] = defaultdict(Room)
        self._admitted: dict[Key, tuple[str, Asked]] = {}
        self._views: dict[str, tuple[Encoded, NodeView]] = {}

    def __contains__(self, key: Key) -> bool:
        """Tell whether a pod was taken on and is not done."""
        return key in self._admitted

    def admit(self, key: Key, pod: Pod) -> Rejection | None:
        """Take a pod on, unless its node has reasons not to: the first of them. One that runs or is done has none."""
        if key in self._admitted or is_pod_finished(pod):
            return None
        asked, name = Asked(requests_of(pod.spec), host_ports_of(pod.spec)), pod.spec.node_name
        node = None if has_started(pod) else self._view(name)
        if node is not None:
            rejection = rejection_of(pod.spec, asked, node, self._rooms[name], self._release)
            if rejection is not None:
                return rejection
        self._rooms[name].take(asked.requests, asked.host_ports)
        self._admitted[key] = name, asked
        return None

    def release(self, key: Key) -> None:
        """A pod is done or gone."""
        name, asked = self._admitted.pop(key, ("", None))
        if asked is not None:
            self._rooms[name].free(asked.requests, asked.host_ports)

    def _view(self, name: str) -> NodeView | None:
        encoded = self._stored(Key(NODE, "", name))
        if encoded is None:
            return None
        known = self._views.get(name)
        if known is None or known[0] is not encoded:
            known = self._views[name] = encoded, node_view(encoded.read_as(Node))
        return known[1]


def has_started(pod: Pod) -> bool:
    """Tell whether a kubelet has taken the pod on before."""
    return pod.status.HasField("start_time")
