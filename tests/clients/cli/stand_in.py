"""Stands in for controllers and kubelets: makes of a workload exactly what a test says they had made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateWaiting,
    ContainerStatus,
    Node,
    NodeCondition,
    Pod,
    PodCondition,
    PodTemplateSpec,
    ReplicationController,
)
from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_client.typed import kind_of
from rollplane_machinery.api import Create, Delete, Key, ListQuery, ObjectApi, Update, UpdateStatus
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.times import time_of
from rollplane_planners.deployment.revisions import sort_out
from rollplane_planners.templates import template_data

REVISION = "deployment.kubernetes.io/revision"
MESSAGES = {"ErrImagePull": "not found"}
"""What kubelets add to the reasons for which containers wait."""
M = TypeVar("M", bound=ApiObject)


class StandIn:
    """Writes as an admin in the namespace ``default``."""

    def __init__(self, api: ObjectApi) -> None:
        self.api = api

    # Objects

    async def get(self, message_type: type[M], name: str) -> M:
        """Return an object."""
        kind = kind_of(message_type)
        message = (await self.api.get(Key(kind, "default" if kind.namespaced else "", name))).parse()
        assert isinstance(message, message_type)
        return message

    async def list(self, message_type: type[M]) -> list[M]:
        """Return all objects of a kind."""
        kind = kind_of(message_type)
        page = await self.api.list(ListQuery(kind, "default" if kind.namespaced else ""))
        return [message for each in page.objects if isinstance(message := each.parse(), message_type)]

    async def create(self, message: M) -> M:
        """Create an object and return it as stored."""
        result = await self.api.write(Create(Encoded.of(message)))
        assert result.object is not None
        stored = result.object.parse()
        assert isinstance(stored, type(message))
        return stored

    async def update(self, message_type: type[M], name: str, change: Callable[[M], None]) -> M:
        """Change all but the status."""
        message = await self.get(message_type, name)
        change(message)
        await self.api.write(Update(Encoded.of(message)))
        return await self.get(message_type, name)

    async def set_status(self, message_type: type[M], name: str, change: Callable[[M], None]) -> M:
        """Change the status."""
        message = await self.get(message_type, name)
        change(message)
        await self.api.write(UpdateStatus(Encoded.of(message)))
        return await self.get(message_type, name)

    async def remove(self, message: ApiObject) -> None:
        """Delete an object at once."""
        kind = kind_of(type(message))
        key = Key(kind, message.metadata.namespace, message.metadata.name)
        await self.api.write(Delete(key, grace_period_seconds=0))

    # Deployments

    async def replica_set(self, deployment: str, hash_: str) -> ReplicaSet:
        """Bring the ReplicaSet of the Deployment's template up to be the new one, at full size; others go to zero."""
        owner = await self.get(Deployment, deployment)
        sets = await self.list(ReplicaSet)
        owned = [each for each in sets if owns(owner, each.metadata)]
        revisions = [int(each.metadata.annotations[REVISION]) for each in owned]
        found = sort_out(owner, owned).new
        new = found.stored if found is not None and found.stored is not None else await self._new_set(owner, hash_)
        number = str(max([*revisions, 0]) + 1)
        latest = str(max([*revisions, 0]))

        def renumber(replica_set: ReplicaSet) -> None:
            replica_set.spec.replicas = owner.spec.replicas
            replica_set.metadata.annotations[REVISION] = number
            if cause := owner.metadata.annotations.get("kubernetes.io/change-cause"):
                replica_set.metadata.annotations["kubernetes.io/change-cause"] = cause

        for each in owned:
            if each.metadata.uid != new.metadata.uid:
                await self.resize(each.metadata.name, 0)
        if new.metadata.annotations.get(REVISION) != latest:
            new = await self.update(ReplicaSet, new.metadata.name, renumber)
        await self.resize(new.metadata.name, owner.spec.replicas)
        await self.set_status(Deployment, deployment, lambda each: _note_revision(each, new))
        return await self.get(ReplicaSet, new.metadata.name)

    async def _new_set(self, owner: Deployment, hash_: str) -> ReplicaSet:
        new = ReplicaSet()
        new.metadata.CopyFrom(_child(owner, "Deployment", f"{owner.metadata.name}-{hash_}"))
        new.spec.selector.CopyFrom(owner.spec.selector)
        new.spec.template.CopyFrom(owner.spec.template)
        for labels in (new.metadata.labels, new.spec.selector.match_labels, new.spec.template.metadata.labels):
            labels.update(owner.spec.template.metadata.labels)
            labels["pod-template-hash"] = hash_
        return await self.create(new)

    async def resize(self, name: str, replicas: int, *, ready: int | None = None) -> None:
        """Give a ReplicaSet a size and a status that has caught up with it."""

        def spec(replica_set: ReplicaSet) -> None:
            replica_set.spec.replicas = replicas

        def status(replica_set: ReplicaSet) -> None:
            replica_set.status.observed_generation = replica_set.metadata.generation
            replica_set.status.replicas = replica_set.status.fully_labeled_replicas = replicas
            replica_set.status.ready_replicas = replicas if ready is None else ready
            replica_set.status.available_replicas = replicas if ready is None else ready
            replica_set.status.terminating_replicas = 0

        await self.update(ReplicaSet, name, spec)
        await self.set_status(ReplicaSet, name, status)

    async def counts(self, name: str, *, updated: int, total: int, available: int) -> None:
        """Report how far a Deployment is, having seen its latest change."""

        def status(deployment: Deployment) -> None:
            deployment.status.observed_generation = deployment.metadata.generation
            deployment.status.updated_replicas = updated
            deployment.status.replicas = total
            deployment.status.ready_replicas = deployment.status.available_replicas = available

        await self.set_status(Deployment, name, status)

    # Pods

    async def pod(
        self, owner: ApiObject, name: str, *, node: str = "", ready: bool = True, waiting: str = "", restarts: int = 0
    ) -> Pod:
        """Make one pod of ``owner``: running on ``node``, or with ``waiting`` as its container's reason."""
        assert isinstance(owner, ReplicaSet | StatefulSet | DaemonSet | ReplicationController)
        pod = Pod()
        pod.metadata.CopyFrom(_child(owner, type(owner).__name__, name))
        pod.metadata.labels.update(owner.spec.template.metadata.labels)
        pod.spec.CopyFrom(owner.spec.template.spec)
        pod.spec.node_name = node
        await self.create(pod)
        return await self.pod_state(name, ready=ready, waiting=waiting, restarts=restarts)

    async def pod_state(self, name: str, *, ready: bool = True, waiting: str = "", restarts: int = 0) -> Pod:
        """Say how a pod is."""

        def status(pod: Pod) -> None:
            pod.status.phase = "Pending" if waiting else "Running"
            pod.status.pod_ip = "10.1.2.3"
            state = ContainerState(running=ContainerStateRunning(started_at=time_of(1)))
            if waiting:
                state = ContainerState(waiting=ContainerStateWaiting(reason=waiting, message=MESSAGES.get(waiting)))
            del pod.status.container_statuses[:], pod.status.conditions[:]
            container = pod.spec.containers[0]
            pod.status.container_statuses.append(
                ContainerStatus(
                    name=container.name, image=container.image, ready=ready, state=state, restart_count=restarts
                )
            )
            word = "True" if ready else "False"
            pod.status.conditions.append(PodCondition(type="Ready", status=word, last_transition_time=time_of(1)))

        return await self.set_status(Pod, name, status)

    # Others

    async def nodes(self, names: Sequence[str]) -> None:
        """Make nodes that are ready."""

        def ready(node: Node) -> None:
            node.status.conditions.append(NodeCondition(type="Ready", status="True"))

        for name in names:
            await self.create(Node(metadata=ObjectMeta(name=name)))
            await self.set_status(Node, name, ready)

    async def controller_revision(
        self, owner: StatefulSet | DaemonSet, name: str, number: int, *, image: str = ""
    ) -> None:
        """Keep the present template of ``owner``, or one with another ``image``, as one of its revisions."""
        template = PodTemplateSpec()
        template.CopyFrom(owner.spec.template)
        if image:
            template.spec.containers[0].image = image
        revision = ControllerRevision(metadata=_child(owner, type(owner).__name__, name), revision=number)
        revision.metadata.labels.update(owner.spec.selector.match_labels)
        revision.metadata.labels["controller-revision-hash"] = name.rpartition("-")[2]
        revision.data.raw = template_data(template)
        await self.create(revision)

    async def ready_stateful_set(self, name: str, *, updated: int) -> None:
        """Report that all pods are ready, and how many are of the new template."""

        def status(stateful_set: StatefulSet) -> None:
            wanted = stateful_set.spec.replicas
            stateful_set.status.observed_generation = stateful_set.metadata.generation
            stateful_set.status.replicas = stateful_set.status.ready_replicas = wanted
            stateful_set.status.updated_replicas = updated
            stateful_set.status.current_replicas = wanted - updated

        await self.set_status(StatefulSet, name, status)

    async def daemon_counts(self, name: str, *, desired: int, updated: int, available: int) -> None:
        """Report how far a DaemonSet is."""

        def status(daemon_set: DaemonSet) -> None:
            daemon_set.status.observed_generation = daemon_set.metadata.generation
            daemon_set.status.desired_number_scheduled = daemon_set.status.current_number_scheduled = desired
            daemon_set.status.updated_number_scheduled = updated
            daemon_set.status.number_ready = daemon_set.status.number_available = available

        await self.set_status(DaemonSet, name, status)

    async def ready_replication_controller(self, name: str) -> None:
        """Report that all pods are ready."""

        def status(controller: ReplicationController) -> None:
            controller.status.observed_generation = controller.metadata.generation
            controller.status.replicas = controller.status.ready_replicas = controller.spec.replicas

        await self.set_status(ReplicationController, name, status)


def owns(owner: ApiObject, metadata: ObjectMeta) -> bool:
    """Whether ``owner`` controls the object with this metadata."""
    return any(each.controller and each.uid == owner.metadata.uid for each in metadata.owner_references)


def _note_revision(deployment: Deployment, replica_set: ReplicaSet) -> None:
    deployment.metadata.annotations[REVISION] = replica_set.metadata.annotations[REVISION]


def _child(owner: ApiObject, kind: str, name: str) -> ObjectMeta:
    reference = OwnerReference(
        api_version="apps/v1", kind=kind, name=owner.metadata.name, uid=owner.metadata.uid, controller=True
    )
    return ObjectMeta(name=name, namespace="default", owner_references=[reference])
