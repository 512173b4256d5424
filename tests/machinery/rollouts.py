"""Deployments in the middle of a rollout, for the tests of what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rollplane.apps.v1 import Deployment, DeploymentCondition, ReplicaSet
from rollplane.core.v1 import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
)
from rollplane.meta.v1 import ObjectMeta, OwnerReference
from rollplane_machinery import int_or_string
from rollplane_machinery.times import time_of
from rollplane_printing.diagnosis import Diagnosis, diagnose_workload

NOW = 10_000.0


@dataclass
class Rollout:
    """A Deployment called web of ``replicas`` pods, its sets and their pods; a test alters what it needs."""

    replicas: int = 3
    max_surge: int = 1
    max_unavailable: int = 0
    recreate: bool = False
    deployment: Deployment = field(init=False)
    sets: list[ReplicaSet] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)

    def __post_init__(self) -> None:
        metadata = ObjectMeta(name="web", namespace="default", uid="web", generation=2)
        self.deployment = Deployment(metadata=metadata)
        spec = self.deployment.spec
        spec.replicas = self.replicas
        spec.progress_deadline_seconds = 600
        spec.selector.match_labels["app"] = "web"
        spec.template.metadata.labels["app"] = "web"
        spec.template.spec.containers.append(Container(name="c", image="app:2"))
        spec.strategy.type = "Recreate" if self.recreate else "RollingUpdate"
        if not self.recreate:
            spec.strategy.rolling_update.max_surge.CopyFrom(int_or_string.of(self.max_surge))
            spec.strategy.rolling_update.max_unavailable.CopyFrom(int_or_string.of(self.max_unavailable))
        self.deployment.status.observed_generation = 2

    def add_set(self, name: str, image: str, size: int, available: int, *, created: float = 1.0) -> ReplicaSet:
        """A ReplicaSet of the Deployment, whose status has caught up."""
        replica_set = ReplicaSet(metadata=_child("Deployment", "web", name, created))
        replica_set.metadata.generation = replica_set.status.observed_generation = 1
        replica_set.metadata.annotations["deployment.kubernetes.io/desired-replicas"] = str(self.replicas)
        replica_set.metadata.annotations["deployment.kubernetes.io/revision"] = str(len(self.sets) + 1)
        replica_set.metadata.annotations["deployment.kubernetes.io/max-replicas"] = str(self.replicas + self.max_surge)
        spec = replica_set.spec
        spec.replicas = size
        spec.template.CopyFrom(self.deployment.spec.template)
        spec.template.spec.containers[0].image = image
        for labels in (replica_set.metadata.labels, spec.selector.match_labels, spec.template.metadata.labels):
            labels.update({"app": "web", "pod-template-hash": name})
        replica_set.status.replicas = replica_set.status.fully_labeled_replicas = size
        replica_set.status.ready_replicas = replica_set.status.available_replicas = available
        replica_set.status.terminating_replicas = 0
        self.sets.append(replica_set)
        return replica_set

    def add_pods(self, set_name: str, *waiting: str, ending: bool = False) -> None:
        """Pods of a set: for each word a pod whose container waits for that reason, ``""`` for a ready one."""
        for reason in waiting:
            name = f"{set_name}-{len(self.pods)}"
            pod = Pod(metadata=_child("ReplicaSet", set_name, name, 1.0))
            pod.metadata.labels.update({"app": "web", "pod-template-hash": set_name})
            pod.spec.containers.append(Container(name="c", image="app:404"))
            pod.status.phase = "Pending" if reason else "Running"
            state = ContainerState(running=ContainerStateRunning())
            if reason:
                message = "not found" if reason == "ErrImagePull" else None
                state = ContainerState(waiting=ContainerStateWaiting(reason=reason, message=message))
            restarts = 3 if reason == "CrashLoopBackOff" else 0
            pod.status.container_statuses.append(
                ContainerStatus(name="c", ready=not reason, state=state, restart_count=restarts)
            )
            word = "False" if reason else "True"
            pod.status.conditions.append(PodCondition(type="Ready", status=word, last_transition_time=time_of(NOW - 5)))
            if ending:
                pod.metadata.deletion_timestamp.CopyFrom(time_of(NOW))
            self.pods.append(pod)

    def count(self, *, updated: int, total: int, available: int) -> None:
        """Set the Deployment's status."""
        status = self.deployment.status
        status.updated_replicas, status.replicas = updated, total
        status.ready_replicas = status.available_replicas = available
        status.terminating_replicas = 0

    def condition(self, type_: str, status: str, reason: str, message: str = "") -> None:
        """Add a condition to the Deployment."""
        condition = DeploymentCondition(type=type_, status=status, reason=reason, message=message)
        self.deployment.status.conditions.append(condition)

    def diagnosis(self) -> Diagnosis:
        """What is said of it all."""
        return diagnose_workload(self.deployment, [*self.sets, *self.pods], NOW)


def _child(kind: str, owner: str, name: str, created: float) -> ObjectMeta:
    reference = OwnerReference(api_version="apps/v1", kind=kind, name=owner, uid=owner, controller=True)
    metadata = ObjectMeta(name=name, namespace="default", uid=name, owner_references=[reference])
    metadata.creation_timestamp.CopyFrom(time_of(created))
    return metadata


def names(pods: Sequence[Pod]) -> list[str]:
    """The pods' names."""
    return [str(pod.metadata.name) for pod in pods]
