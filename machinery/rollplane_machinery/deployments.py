"""What ties a Deployment and its ReplicaSets together: labels, annotations, and templates that make the same pods.

Source: docs/semantics/deployment.md sections 2 and 3; kubernetes/kubernetes
pkg/controller/deployment/util/deployment_util.go (annotationsToSkip).
"""

from __future__ import annotations

from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.extensions import OWN
from rollplane_machinery.well_known import LAST_APPLIED

HASH_LABEL = "pod-template-hash"
"""Tells the pods of one ReplicaSet from those of the others of its Deployment."""

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
ROLLBACK_TO = "deprecated.deployment.rollback.rollbackTo"

STAYING = frozenset({REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO, LAST_APPLIED}) | OWN
"""Annotations that stay where they are; all others travel, to a new ReplicaSet and back with a rollback."""


def travels(annotation: str) -> bool:
    """Return whether the annotation of that name is copied between a Deployment and its ReplicaSets."""
    return annotation not in STAYING


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """Return a copy of ``template`` without the label that tells ReplicaSets apart."""
    bare = PodTemplateSpec()
    bare.CopyFrom(template)
    bare.metadata.labels.pop(HASH_LABEL, None)
    return bare
