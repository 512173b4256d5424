"""Finding or creating the ReplicaSet of the present template, and numbering it.

Source: docs/semantics/deployment.md section 3.
"""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.deployments import HASH_LABEL, REVISION, REVISION_HISTORY, travels
from rollplane_planners.claims import Owner
from rollplane_planners.deployment.annotations import append_revision, integer
from rollplane_planners.deployment.drafts import Draft, ReplicaSets, oldest_first
from rollplane_planners.hashing import template_hash
from rollplane_planners.limits import Limits
from rollplane_planners.templates import AS_STORED, Templates


def equal_ignoring_hash(templates: Templates, one: PodTemplateSpec, other: PodTemplateSpec) -> bool:
    """Tell whether two templates make the same pods."""
    return templates.are_same(templates.bare(one), templates.bare(other))


def sort_out(deployment: Deployment, owned: Iterable[ReplicaSet], templates: Templates = AS_STORED) -> ReplicaSets:
    """Return the owned sets as drafts: the oldest one with the present template is the new one, all others old."""
    drafts = oldest_first([Draft.of(stored) for stored in owned])
    present = templates.bare(deployment.spec.template)
    fitting = (draft for draft in drafts if templates.are_same(templates.bare(draft.wanted.spec.template), present))
    new = next(fitting, None)
    return ReplicaSets(deployment, new, [draft for draft in drafts if draft is not new], templates)


def next_revision(sets: ReplicaSets) -> int:
    """Return the number that the new set must at least have."""
    revisions = (integer(draft.wanted.metadata.annotations.get(REVISION)) for draft in sets.old)
    return max((revision for revision in revisions if revision is not None), default=0) + 1


def update_new(sets: ReplicaSets, new: Draft) -> None:
    """Bring an existing new set's annotations, revision and minReadySeconds up to date."""
    for key, value in sets.deployment.metadata.annotations.items():
        if travels(key):
            new.annotate(key, value)
    _raise_revision(new, next_revision(sets))
    if sets.deployment.spec.min_ready_seconds != new.wanted.spec.min_ready_seconds:
        new.edit().spec.min_ready_seconds = sets.deployment.spec.min_ready_seconds


def _raise_revision(draft: Draft, revision: int) -> None:
    """Number the set ``revision`` unless it has that or a higher one; its former number goes into its history."""
    former = draft.wanted.metadata.annotations.get(REVISION)
    if (integer(former) or 0) >= revision:
        return
    annotations = draft.edit().metadata.annotations
    if former:
        annotations[REVISION_HISTORY] = append_revision(annotations.get(REVISION_HISTORY, ""), former)
    annotations[REVISION] = str(revision)


def new_name(deployment: Deployment) -> str:
    """Return the name of the present template's set."""
    collisions = deployment.status.collision_count if deployment.status.HasField("collision_count") else None
    return f"{deployment.metadata.name}-{template_hash(deployment.spec.template, collisions)}"


def create_new(sets: ReplicaSets, owner: Owner, size: int, limits: Limits) -> Draft:
    """Return the draft of the present template's set with ``size`` pods, and make it the new one of ``sets``."""
    deployment = sets.deployment
    name = new_name(deployment)
    pod_hash = name.removeprefix(f"{deployment.metadata.name}-")
    wanted = ReplicaSet()
    wanted.metadata.name, wanted.metadata.namespace = name, deployment.metadata.namespace
    wanted.metadata.owner_references.append(owner.reference())
    wanted.spec.replicas = size
    wanted.spec.min_ready_seconds = deployment.spec.min_ready_seconds
    wanted.spec.selector.CopyFrom(deployment.spec.selector)
    wanted.spec.selector.match_labels[HASH_LABEL] = pod_hash
    wanted.spec.template.CopyFrom(deployment.spec.template)
    wanted.spec.template.metadata.labels[HASH_LABEL] = pod_hash
    wanted.metadata.labels.update(wanted.spec.template.metadata.labels)
    draft = Draft(None, wanted)
    update_new(sets, draft)
    draft.annotate_size(limits)
    sets.new = draft
    return draft
