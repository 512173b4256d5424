"""Which pods a kubelet refuses that are bound to its node, and in which words.

The scheduler asks the same before it binds; what comes here was bound by hand, or to a node that has changed since.
Source: kubernetes/kubernetes pkg/kubelet/lifecycle/predicate.go, and rejectPod in pkg/kubelet/kubelet.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core.v1 import Pod, PodSpec, PodStatus
from rollplane_kubelet_sim.stages.pods import OWN_CONDITIONS
from rollplane_machinery.frozen import frozen
from rollplane_machinery.releases import Release
from rollplane_machinery.times import set_time
from rollplane_planners.scheduling.demand import HostPort
from rollplane_planners.scheduling.node_affinity import NO_EXECUTE, matches_affinity, untolerated
from rollplane_planners.scheduling.nodes import NodeView, Room, collides
from rollplane_planners.scheduling.resources import Resources

ANOTHER_NODE = "node(s) didn't match Pod's node affinity/selector"
NO_PORT = "node(s) didn't have free ports for the requested pod ports"
UNTOLERATED = "node(s) had taints that the pod didn't tolerate"


@frozen
class Asked:
    """What a pod takes of its node: requests, and host ports."""

    requests: Resources
    host_ports: frozenset[HostPort]


@frozen
class Rejection:
    """Why a pod may not run on its node: a word, and a sentence."""

    reason: str
    message: str


def rejection_of(spec: PodSpec, asked: Asked, node: NodeView, room: Room, release: Release) -> Rejection | None:
    """Return the first reason not to run the pod on ``node``, of which ``room`` is taken; None when it may."""
    return next(_reasons(spec, asked, node, room, release), None)


def _reasons(spec: PodSpec, asked: Asked, node: NodeView, room: Room, release: Release) -> Iterator[Rejection]:
    yield from _insufficient(asked.requests, node, room)
    if not matches_affinity(spec, node.name, node.labels):
        yield _failed("NodeAffinity", ANOTHER_NODE, release)
    if collides(room, asked.host_ports):
        yield _failed("NodePorts", NO_PORT, release)
    if release.kubelets_check_taints and node.taints and untolerated(node.taints, spec.tolerations, (NO_EXECUTE,)):
        yield _failed("TaintToleration", UNTOLERATED, release)


def _insufficient(asked: Resources, node: NodeView, room: Room) -> Iterator[Rejection]:
    """Resources of a sort that the node has none of are not asked for: somebody else may see to them."""
    used, offered = room.used, node.capacity
    others, capacities = dict(used.others), dict(offered.others)
    amounts = [("pods", 1, room.pods, node.pods), ("cpu", asked.cpu, used.cpu, offered.cpu)]
    amounts.append(("memory", asked.memory, used.memory, offered.memory))
    amounts += [
        (name, amount, others.get(name, 0), capacities.get(name, 0))
        for name, amount in asked.others
        if name in capacities or "/" not in name
    ]
    for name, requested, taken, capacity in amounts:
        if requested and requested > capacity - taken:
            figures = f"requested: {requested}, used: {taken}, capacity: {capacity}"
            yield Rejection(f"OutOf{name}", f"Node didn't have enough resource: {name}, {figures}")


def _failed(predicate: str, why: str, release: Release) -> Rejection:
    words: str = release.rejection_sentence.value[1]
    return Rejection(predicate, words.format(predicate=predicate, why=why))


def rejected_status(pod: Pod, rejection: Rejection, now: float, release: Release) -> PodStatus:
    """Return the status of a pod that never runs; of its conditions those stay that are not a kubelet's."""
    status = PodStatus(phase="Failed", reason=rejection.reason, qos_class=pod.status.qos_class)
    status.message = release.rejection_sentence.value[0].format(message=rejection.message)
    status.conditions.extend(one for one in pod.status.conditions if one.type not in OWN_CONDITIONS)
    set_time(status.start_time, now)
    if pod.metadata.generation:
        status.observed_generation = pod.metadata.generation
    return status
