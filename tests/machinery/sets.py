"""StatefulSets, DaemonSets and ReplicaSets with their pods, for the tests of what is said about them."""

from __future__ import annotations

from rollplane.apps.v1 import ControllerRevision, DaemonSet, ReplicaSet, StatefulSet
from rollplane.core.v1 import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateWaiting,
    ContainerStatus,
    Node,
    Pod,
    PodCondition,
    PodTemplateSpec,
    ReplicationController,
)
from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery import int_or_string
from rollplane_machinery.times import time_of
from rollplane_planners.templates import template_data

NOW = 10_000.0
READY, ENDING, NO_NODE, YOUNG = "ready", "ending", "no node", "young"
"""States of a pod; any other word is what its container waits for."""

Owner = StatefulSet | DaemonSet | ReplicaSet | ReplicationController


def stateful_set(
    replicas: int = 3, *, partition: int = 0, parallel: bool = False, on_delete: bool = False, most: int | None = None
) -> StatefulSet:
    """A set called db whose update goes from revision db-1 to db-2, and which its controller has seen."""
    found = StatefulSet(metadata=ObjectMeta(name="db", namespace="default", uid="db", generation=2))
    spec, status = found.spec, found.status
    spec.replicas = replicas
    spec.selector.match_labels["app"] = spec.template.metadata.labels["app"] = "db"
    spec.template.spec.containers.append(Container(name="c", image="db:2"))
    spec.pod_management_policy = "Parallel" if parallel else "OrderedReady"
    spec.update_strategy.type = "OnDelete" if on_delete else "RollingUpdate"
    if not on_delete:
        spec.update_strategy.rolling_update.partition = partition
    if most is not None:
        spec.update_strategy.rolling_update.max_unavailable.CopyFrom(int_or_string.of(most))
    status.observed_generation = 2
    status.current_revision, status.update_revision = "db-1", "db-2"
    return found


def daemon_set(
    desired: int = 3, *, most: int | str = 1, surge: int | None = None, on_delete: bool = False
) -> DaemonSet:
    """A set called agent that ``desired`` nodes should run, each of which has a pod."""
    found = DaemonSet(metadata=ObjectMeta(name="agent", namespace="default", uid="agent", generation=2))
    spec, status = found.spec, found.status
    spec.selector.match_labels["app"] = spec.template.metadata.labels["app"] = "agent"
    spec.template.spec.containers.append(Container(name="c", image="app:2"))
    spec.update_strategy.type = "OnDelete" if on_delete else "RollingUpdate"
    rolling = spec.update_strategy.rolling_update
    rolling.max_unavailable.CopyFrom(int_or_string.of(0 if surge else most))
    if surge:
        rolling.max_surge.CopyFrom(int_or_string.of(surge))
    status.observed_generation = 2
    status.desired_number_scheduled = status.current_number_scheduled = desired
    return found


def histories(owner: StatefulSet | DaemonSet) -> list[ControllerRevision]:
    """The two revisions of a set, the second of its present template: db-1 and db-2, or of the hashes old and new."""
    made = []
    for number, hash_ in ((1, "old"), (2, "new")):
        template = PodTemplateSpec()
        template.CopyFrom(owner.spec.template)
        template.spec.containers[0].image = f"image:{number}" if number == 1 else template.spec.containers[0].image
        name = f"{owner.metadata.name}-{number if isinstance(owner, StatefulSet) else hash_}"
        reference = OwnerReference(kind=type(owner).__name__, uid=owner.metadata.uid, controller=True)
        one = ControllerRevision(metadata=ObjectMeta(name=name, owner_references=[reference]), revision=number)
        one.metadata.labels.update({"app": owner.metadata.name, "controller-revision-hash": hash_})
        one.data.raw = template_data(template)
        made.append(one)
    return made


def nodes(owner: DaemonSet) -> list[Node]:
    """The nodes that a DaemonSet is to run on."""
    desired = owner.status.desired_number_scheduled
    return [Node(metadata=ObjectMeta(name=f"node-{at}")) for at in range(desired)]


def replication_controller(name: str, size: int) -> ReplicationController:
    """A controller whose status tells of all its pods, none of which is ready."""
    found = ReplicationController(metadata=ObjectMeta(name=name, namespace="default", uid=name, generation=1))
    found.spec.replicas = found.status.replicas = found.status.fully_labeled_replicas = size
    found.spec.selector["app"] = name
    found.status.observed_generation = 1
    return found


def pod(owner: Owner, name: str, state: str = READY, *, revision: str = "", node: str = "") -> Pod:
    """One pod of ``owner``."""
    reference = OwnerReference(kind=type(owner).__name__, uid=owner.metadata.uid, controller=True)
    made = Pod(metadata=ObjectMeta(name=name, namespace="default", uid=name, owner_references=[reference]))
    made.metadata.creation_timestamp.CopyFrom(time_of(1))
    made.metadata.labels.update({"app": owner.metadata.name, "controller-revision-hash": revision})
    made.metadata.labels["statefulset.kubernetes.io/pod-name"] = name
    made.spec.node_name = node
    made.spec.containers.append(Container(name="c", image="app:404"))
    is_ready = state in (READY, ENDING, YOUNG)
    made.status.phase = "Running" if is_ready else "Pending"
    running = ContainerState(running=ContainerStateRunning())
    message = "not found" if state == "ErrImagePull" else None
    waiting = ContainerState(waiting=ContainerStateWaiting(reason="" if state == NO_NODE else state, message=message))
    made.status.container_statuses.append(
        ContainerStatus(name="c", ready=is_ready, state=running if is_ready else waiting)
    )
    since = time_of(NOW - (1 if state == YOUNG else 100))
    made.status.conditions.append(PodCondition(type="Ready", status=str(is_ready), last_transition_time=since))
    if state == NO_NODE:
        made.status.conditions.append(
            PodCondition(type="PodScheduled", status="False", reason="Unschedulable", message="0/3 nodes are available")
        )
    if state == ENDING:
        made.metadata.deletion_timestamp.CopyFrom(time_of(NOW))
    return made


def members(owner: StatefulSet, *states: str) -> list[Pod]:
    """Pods of a StatefulSet, from ordinal 0: each a revision's number and a state (``"2 ready"``), ``""`` for none."""
    made = []
    for at, written in enumerate(states):
        if written:
            number, _, state = written.partition(" ")
            made.append(pod(owner, f"db-{at}", state, revision=f"db-{number}"))
    return made


def daemons(owner: DaemonSet, *states: str) -> list[Pod]:
    """Pods of a DaemonSet, a node each: new or old, and a state; of a node with two pods they are joined by ``+``."""
    made = []
    for at, written in enumerate(states):
        for each in filter(None, written.split("+")):
            which, _, state = each.partition(" ")
            made.append(pod(owner, f"agent-{at}-{which}", state, revision=which, node=f"node-{at}"))
    return made
