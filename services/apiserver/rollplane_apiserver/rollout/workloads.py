"""What the verbs need to know of the kinds: which has a pod template, replicas, a pause, a history."""

from __future__ import annotations

from collections.abc import Collection

from rollplane.apps import v1 as apps
from rollplane.core import v1 as core
from rollplane_machinery import kinds
from rollplane_machinery.api import Key
from rollplane_machinery.errors import Cause, CauseReason, InvalidError, UnsupportedError
from rollplane_machinery.kinds import ApiObject, Kind

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"

WITH_PODS = frozenset(
    {
        kinds.POD,
        kinds.REPLICATION_CONTROLLER,
        kinds.DEPLOYMENT,
        kinds.REPLICA_SET,
        kinds.STATEFUL_SET,
        kinds.DAEMON_SET,
    }
)
"""Kinds whose images can be set."""

ROLLED_OUT = frozenset({kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET})
"""Kinds that move their pods from one template to the next, and keep a history of it."""

ROLLING_UPDATED = frozenset({kinds.REPLICATION_CONTROLLER})
"""Kinds that replace one object by another, having no history of their own."""

PAUSABLE = frozenset({kinds.DEPLOYMENT})

RolledOut = apps.Deployment | apps.StatefulSet | apps.DaemonSet


def subject(key: Key) -> str:
    """Return how kubectl's sentences name an object: ``deployments.apps "web"``."""
    return f'{key.kind.resource} "{key.name}"'


def demand(key: Key, supported: Collection[Kind], verb: str) -> None:
    """Raise UnsupportedError in kubectl's words (``… pausing is not supported``) when the kind lacks the verb."""
    if key.kind not in supported:
        raise UnsupportedError(f"{subject(key)} {verb} is not supported", resource=key.kind.resource, name=key.name)


def refusal(key: Key, message: str, field: str = "") -> InvalidError:
    """Return the error for a verb that the object's present state does not allow; ``field`` is what stands against."""
    causes = [Cause(CauseReason.FORBIDDEN, field, message)] if field else []
    return InvalidError(message, resource=key.kind.resource, name=key.name, causes=causes)


def pod_spec_of(message: ApiObject) -> core.PodSpec:
    """Return the spec of the pods a workload makes, of a pod its own; of kinds in WITH_PODS only."""
    if isinstance(message, core.Pod):
        return message.spec
    if isinstance(message, RolledOut | apps.ReplicaSet | core.ReplicationController):
        return message.spec.template.spec
    raise TypeError(f"a {type(message).__name__} has no pods")


def rolled_out(message: ApiObject) -> RolledOut:
    """Return ``message`` as one of ROLLED_OUT."""
    if isinstance(message, RolledOut):
        return message
    raise TypeError(f"a {type(message).__name__} is not rolled out")
