"""Which pods the nodes of a fleet have taken on, and what is left of each node for the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache

from rollplane.core.v1 import Node, Pod
from rollplane_kubelet_sim.stages.rejection import Asked, Rejection, rejection_of
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import NODE, Encoded
from rollplane_machinery.releases import Release
from rollplane_planners.scheduling.demand import HostPort, host_ports_of, requests_of
from rollplane_planners.scheduling.nodes import NodeView, Room, node_view
from rollplane_planners.scheduling.resources import Resources


class Admissions:
    """Takes pods on, or tells why not. ``stored`` returns a node as last seen; one that is not seen refuses nobody."""

    def __init__(self, stored: Callable[[Key], Encoded | None], release: Release) -> None:
        self._stored = stored
        self._release = release
        self._rooms: dict[str, Room] = defaultdict(Room)
        self._views: dict[str, tuple[Encoded, NodeView]] = {}

    def admit(self, pod: Pod) -> Asked | Rejection:
        """Take a pod on, and return what it takes of its node; or the first reason not to. One that runs has none."""
        name, spec = pod.spec.node_name, pod.spec
        asked, room = _asked(requests_of(spec), host_ports_of(spec)), self._rooms[name]
        node = None if has_started(pod) else self._view(name)
        rejection = None if node is None else rejection_of(spec, asked, node, room, self._release)
        if rejection is not None:
            return rejection
        room.take(asked.requests, asked.host_ports)
        return asked

    def release(self, node: str, asked: Asked) -> None:
        """What a pod took of its node is free again."""
        self._rooms[node].free(asked.requests, asked.host_ports)

    def _view(self, name: str) -> NodeView | None:
        encoded = self._stored(Key(NODE, "", name))
        if encoded is None:
            return None
        known = self._views.get(name)
        if known is None or known[0] is not encoded:
            known = self._views[name] = encoded, node_view(encoded.read_as(Node))
        return known[1]


@lru_cache(maxsize=4_096)
def _asked(requests: Resources, host_ports: frozenset[HostPort]) -> Asked:
    """Return what pods of one template take, held once for them all."""
    return Asked(requests, host_ports)


def has_started(pod: Pod) -> bool:
    """Tell whether a kubelet has taken the pod on before."""
    return pod.status.HasField("start_time")
