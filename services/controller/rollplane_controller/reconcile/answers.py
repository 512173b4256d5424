"""What the refusal of a controller's write means: for its key, and for people."""

from __future__ import annotations

from rollplane_machinery.api import Bind, Create, Delete, Patch, Update, UpdateStatus, Write
from rollplane_machinery.errors import (
    AlreadyExistsError,
    CauseReason,
    ConflictError,
    FencedError,
    NotAttemptedError,
    NotFoundError,
    RollplaneError,
)
from rollplane_machinery.kinds import POD
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


def news_of(write: Write, refusal: RollplaneError) -> PlannedEvent | None:
    """Return the event that a refused pod deserves."""
    if is_passing(refusal):
        return None
    if isinstance(write, Create) and write.object.kind is POD:
        return PlannedEvent("FailedCreate", f"Error creating: {refusal}", Severity.WARNING)
    if isinstance(write, Delete) and write.key.kind is POD:
        return PlannedEvent("FailedDelete", f"Error deleting: {refusal}", Severity.WARNING)
    if isinstance(write, Update) and write.object.kind is POD:
        return PlannedEvent("FailedUpdate", f"Error updating: {refusal}", Severity.WARNING)
    return None
