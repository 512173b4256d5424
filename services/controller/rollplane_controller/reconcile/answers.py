"""What the refusal of a controller's write means: for its key, and for people."""

from __future__ import annotations

from rollplane_machinery.api import Bind, Create, Delete, Key, Patch, Update, UpdateStatus, Write, WriteResult
from rollplane_machinery.errors import (
    AlreadyExistsError,
    CauseReason,
    ConflictError,
    FencedError,
    NotAttemptedError,
    NotFoundError,
    Outcome,
    RollplaneError,
)
from rollplane_machinery.kinds import (
    DAEMON_SET,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
)
from rollplane_planners.model import PlannedEvent, Severity


def is_passing(error: Exception) -> bool:
    """Tell whether somebody else was faster: the next look knows more, it is no failure worth showing."""
    return isinstance(error, ConflictError | AlreadyExistsError | FencedError)


def is_harmless(write: Write, refusal: RollplaneError) -> bool:
    """Tell whether a refusal needs no attention: gone already, held back by another, or in a namespace that ends."""
    if isinstance(refusal, NotAttemptedError):
        return True
    if isinstance(write, Delete | Update | UpdateStatus | Patch | Bind) and isinstance(refusal, NotFoundError):
        return True
    return any(cause.reason is CauseReason.NAMESPACE_TERMINATING for cause in refusal.causes)


def outruns_cache(write: Write, answer: WriteResult | RollplaneError) -> bool:
    """Tell whether an answer speaks of changes that the cache may not show, without their revision.

    The object is gone, or nobody knows whether the write was made. A create finds only its namespace gone.
    """
    if isinstance(answer, WriteResult):
        return False
    is_gone = isinstance(answer, NotFoundError) and not isinstance(write, Create)
    return is_gone or answer.outcome is Outcome.OUTCOME_UNKNOWN


def news_of(key: Key, write: Write, refusal: RollplaneError) -> PlannedEvent | None:
    """Return the event that a refused write of ``key``'s plan deserves.

    All who make pods tell of those that are neither made nor deleted. A StatefulSet tells the same in words of its own,
    and of the claims it cannot make and the pods it cannot mend.
    """
    verb, target = _deed(write)
    if is_passing(refusal) or target is None:
        return None
    if key.kind is STATEFUL_SET:
        return _news_of_set(key.name, verb, target, refusal)
    if key.kind not in _MAKERS or target.kind is not POD or verb not in _GERUNDS:
        return None
    return PlannedEvent(_failed(verb), f"Error {_GERUNDS[verb]}: {refusal}", Severity.WARNING)


_MAKERS = frozenset({REPLICA_SET, REPLICATION_CONTROLLER, DAEMON_SET})
_GERUNDS = {"create": "creating", "delete": "deleting"}


def _deed(write: Write) -> tuple[str, Key | None]:
    match write:
        case Create():
            return "create", write.object.key
        case Update():
            return "update", write.object.key
        case Delete():
            return "delete", write.key
    return "", None


def _news_of_set(name: str, verb: str, target: Key, refusal: RollplaneError) -> PlannedEvent | None:
    """Source: kubernetes/kubernetes pkg/controller/statefulset/stateful_pod_control.go, recordPodEvent and its twin."""
    if target.kind is POD:
        what = f"Pod {target.name}"
    elif target.kind is PERSISTENT_VOLUME_CLAIM and verb == "create":
        ordinal = target.name.rpartition("-")[2]
        what = f"Claim {target.name} Pod {name}-{ordinal}"
    else:
        return None
    return PlannedEvent(_failed(verb), f"{verb} {what} in StatefulSet {name} failed error: {refusal}", Severity.WARNING)


def _failed(verb: str) -> str:
    return f"Failed{verb.capitalize()}"
