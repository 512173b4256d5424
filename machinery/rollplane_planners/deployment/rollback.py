"""The legacy rollback: ``spec.rollbackTo`` of old API versions, kept as an annotation.

Source: docs/semantics/deployment.md section 11.
"""

from __future__ import annotations

from rollplane.apps.v1 import Deployment
from rollplane_machinery.deployments import HASH_LABEL, REVISION, ROLLBACK_TO, travels
from rollplane_planners.deployment.annotations import integer
from rollplane_planners.deployment.drafts import Draft, ReplicaSets
from rollplane_planners.deployment.revisions import equal_ignoring_hash
from rollplane_planners.model import Plan, PlannedEvent, Severity, UpdateObject
from rollplane_planners.templates import Templates


def is_requested(deployment: Deployment) -> bool:
    """Tell whether a rollback waits to be carried out."""
    return ROLLBACK_TO in deployment.metadata.annotations


def plan_rollback(sets: ReplicaSets) -> Plan:
    """Return the update that restores the wanted revision; the request is cleared whatever comes of it."""
    wanted = Deployment()
    wanted.CopyFrom(sets.deployment)
    revision = integer(wanted.metadata.annotations.pop(ROLLBACK_TO)) or 0
    target = _target(sets, revision)
    event = _restore(wanted, target, sets.templates) if target else _not_found(revision)
    return Plan(writes=(UpdateObject(wanted, (event,)),))


def _revision(draft: Draft) -> int:
    return integer(draft.wanted.metadata.annotations.get(REVISION)) or 0


def _target(sets: ReplicaSets, revision: int) -> Draft | None:
    """Return the set with that revision; 0 means the one before the latest."""
    ranked = sorted(sets.all, key=_revision)
    if revision == 0:
        return ranked[-2] if len(ranked) > 1 else None
    return next((draft for draft in ranked if _revision(draft) == revision), None)


def _restore(wanted: Deployment, target: Draft, templates: Templates) -> PlannedEvent:
    """Copy template and annotations of ``target`` in place; return the event that says so."""
    if equal_ignoring_hash(templates, target.wanted.spec.template, wanted.spec.template):
        text = f'The rollback revision contains the same template as current deployment "{wanted.metadata.name}"'
        return PlannedEvent("DeploymentRollbackTemplateUnchanged", text, Severity.WARNING)
    wanted.spec.template.CopyFrom(target.wanted.spec.template)
    wanted.spec.template.metadata.labels.pop(HASH_LABEL, None)
    kept = {key: value for key, value in wanted.metadata.annotations.items() if not travels(key)}
    restored = {key: value for key, value in target.annotations.items() if travels(key)}
    wanted.metadata.annotations.clear()
    wanted.metadata.annotations.update(kept | restored)
    text = f'Rolled back deployment "{wanted.metadata.name}" to revision {_revision(target)}'
    return PlannedEvent("DeploymentRollback", text)


def _not_found(revision: int) -> PlannedEvent:
    text = "Unable to find the revision to rollback to." if revision else "Unable to find last revision."
    return PlannedEvent("DeploymentRollbackRevisionNotFound", text, Severity.WARNING)
