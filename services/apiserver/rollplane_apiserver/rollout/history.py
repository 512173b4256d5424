"""The revisions a workload can go back to: a Deployment's ReplicaSets, others' ControllerRevisions.

Only what the workload controls counts (its uid in the controller reference); a match of labels is not enough. Source:
docs/semantics/deployment.md section 11, statefulset.md section 9, daemonset.md section 7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from rollplane.apps import v1 as apps
from rollplane.core.v1 import PodTemplateSpec
from rollplane_apiserver.rollout.workloads import RolledOut
from rollplane_machinery import kinds
from rollplane_machinery.api import ListQuery, ObjectApi, Revision
from rollplane_machinery.codec import message_from_json
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.errors import BadRequestError, InternalError
from rollplane_machinery.kinds import Kind
from rollplane_machinery.metadata import controller_uid
from rollplane_machinery.selectors import pod_selector_of
from rollplane_machinery.times import to_seconds
from rollplane_machinery.well_known import CHANGE_CAUSE

K = TypeVar("K", apps.ReplicaSet, apps.ControllerRevision)


@dataclass(frozen=True, slots=True)
class Step:
    """One revision, and the object that keeps it."""

    revision: Revision
    keeper: apps.ReplicaSet | apps.ControllerRevision


async def history_of(objects: ObjectApi, workload: RolledOut) -> Mapping[int, Step]:
    """Return the steps by their numbers, ascending; where two have the same number, the younger one."""
    if isinstance(workload, apps.Deployment):
        sets = await _controlled(objects, workload, kinds.REPLICA_SET, apps.ReplicaSet)
        steps = [step for replica_set in sets if (step := _of_replica_set(replica_set)) is not None]
    else:
        revisions = await _controlled(objects, workload, kinds.CONTROLLER_REVISION, apps.ControllerRevision)
        steps = [_of_controller_revision(revision) for revision in revisions]
    steps.sort(key=lambda step: (step.revision.number, step.revision.creation_seconds, step.revision.name))
    return {step.revision.number: step for step in steps}


async def _controlled(objects: ObjectApi, workload: RolledOut, kind: Kind, message_type: type[K]) -> list[K]:
    """All objects of ``kind`` that the workload selects and controls."""
    found: list[K] = []
    query = ListQuery(kind, workload.metadata.namespace, str(pod_selector_of(workload)))
    while True:
        page = await objects.list(query)
        candidates = (encoded.parse() for encoded in page.objects)
        found += [
            item
            for item in candidates
            if isinstance(item, message_type) and controller_uid(item.metadata) == workload.metadata.uid
        ]
        if not page.continue_token:
            return found
        query = ListQuery(kind, query.namespace, query.label_selector, continue_token=page.continue_token)


def _of_replica_set(replica_set: apps.ReplicaSet) -> Step | None:
    """None for a set that has no number yet, or one that is no number."""
    text = replica_set.metadata.annotations.get(REVISION, "")
    if not (text.isascii() and text.isdecimal() and int(text)):
        return None
    return _step(replica_set, int(text), replica_set.spec.template)


def _of_controller_revision(revision: apps.ControllerRevision) -> Step:
    return _step(revision, revision.revision, _template_in(revision))


def _step(keeper: apps.ReplicaSet | apps.ControllerRevision, number: int, template: PodTemplateSpec) -> Step:
    metadata = keeper.metadata
    change_cause = metadata.annotations.get(CHANGE_CAUSE, "")
    created = to_seconds(metadata.creation_timestamp)
    return Step(Revision(number, change_cause, metadata.name, template, created), keeper)


def _template_in(revision: apps.ControllerRevision) -> PodTemplateSpec:
    """The template in a revision's data, which is a patch that replaces it whole."""
    try:
        template = dict(json.loads(revision.data.raw)["spec"]["template"])
        template.pop("$patch", None)
        return message_from_json(PodTemplateSpec, template, "spec.template", strict=False)
    except (ValueError, KeyError, TypeError, BadRequestError) as exc:
        raise InternalError(f"controller revision {revision.metadata.name} holds no pod template") from exc
