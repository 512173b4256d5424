"""Going back to an earlier revision: choosing it, and the write that does it.

The template travels back, and of a Deployment the annotations; replicas, strategy and limits stay. Source:
docs/semantics/deployment.md section 11, statefulset.md section 9, daemonset.md section 7.
"""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.apps import v1 as apps
from rollplane_apiserver.rollout.history import Step
from rollplane_apiserver.rollout.workloads import RolledOut, refusal
from rollplane_machinery.api import Key
from rollplane_machinery.deployments import travels, without_hash
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import ApiObject


def choose(key: Key, history: Mapping[int, Step], to_revision: int) -> Step:
    """Return the step to go back to: number ``to_revision``, or the one before the latest for 0.

    Raises NotFoundError in kubectl's words when there is none.
    """
    if to_revision == 0:
        if len(history) < 2:
            raise _not_found(key, _nothing_before(key))
        return history[sorted(history)[-2]]
    if to_revision not in history:
        raise _not_found(key, f"unable to find specified revision {to_revision} in history")
    return history[to_revision]


def _nothing_before(key: Key) -> str:
    if key.kind.name == "Deployment":
        return f'no rollout history found for deployment "{key.name}"'
    return "no last revision to roll back to"


def _not_found(key: Key, message: str) -> NotFoundError:
    return NotFoundError(message, resource=key.kind.resource, name=key.name)


def check_not_paused(key: Key, workload: ApiObject) -> None:
    """Raise InvalidError for a paused Deployment, which would not carry the rollback out."""
    if isinstance(workload, apps.Deployment) and workload.spec.paused:
        sentence = (
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again"
        )
        raise refusal(key, sentence, "spec.paused")


def is_there_already(workload: RolledOut, step: Step) -> bool:
    """Return whether the workload's template makes the same pods as the step's."""
    return semantic_equal(without_hash(workload.spec.template), without_hash(step.revision.template))


def bring_back(deployment: apps.Deployment, step: Step) -> None:
    """Give ``deployment`` the template and the annotations of the step's ReplicaSet.

    Annotations that only the Deployment has are lost, and its change-cause becomes that of the time.
    """
    deployment.spec.template.CopyFrom(without_hash(step.revision.template))
    own, then = deployment.metadata.annotations, step.keeper.metadata.annotations
    annotations = {name: value for name, value in own.items() if not travels(name)}
    annotations |= {name: value for name, value in then.items() if travels(name)}
    own.clear()
    own.update(annotations)
