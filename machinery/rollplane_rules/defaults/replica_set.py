"""Defaults of ReplicaSets (apps/v1) and ReplicationControllers (v1)."""

from __future__ import annotations

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core


def default_replica_set(replica_set: apps.ReplicaSet) -> None:
    """Fill in ``replica_set`` in place, but for its template."""
    if not replica_set.spec.HasField("replicas"):
        replica_set.spec.replicas = 1


def default_replication_controller(controller: core.ReplicationController) -> None:
    """Fill in ``controller`` in place: selector and labels come from the template where they are empty."""
    spec = controller.spec
    if not spec.HasField("replicas"):
        spec.replicas = 1
    labels = spec.template.metadata.labels
    if labels and not spec.selector:
        spec.selector.update(labels)
    if labels and not controller.metadata.labels:
        controller.metadata.labels.update(labels)
