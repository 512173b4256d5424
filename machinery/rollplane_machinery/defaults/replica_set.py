"""Defaults of ReplicaSets (apps/v1) and ReplicationControllers (v1)."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery.defaults.pod_spec import default_pod_spec


def default_replica_set(replica_set: apps.ReplicaSet) -> None:
    """Fill in ``replica_set`` in place."""
    spec = replica_set.spec
    if not spec.HasField("replicas"):
        spec.replicas = 1
    default_pod_spec(spec.template.spec)


def default_replication_controller(controller: core.ReplicationController) -> None:
    """Fill in ``controller`` in place: selector and labels come from the template where they are empty."""
    spec = controller.spec
    if not spec.HasField("replicas"):
        spec.replicas = 1
    if not spec.HasField("template"):
        return
    labels = spec.template.metadata.labels
    if labels and not spec.selector:
        spec.selector.update(labels)
    if labels and not controller.metadata.labels:
        controller.metadata.labels.update(labels)
    default_pod_spec(spec.template.spec)
