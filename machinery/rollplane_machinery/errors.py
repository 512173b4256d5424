"""Every error raised on purpose, without a word of gRPC: the core raises it, ``rpc/`` and the client translate it.

RollplaneError
├── BadRequestError           malformed input, a selector that does not parse, unknown fields
├── UnauthenticatedError
├── ForbiddenError            also a namespace that is terminating
│   └── FencedError           a controller write whose epoch is not its shard's
├── NotFoundError
├── UnsupportedError          the kind has no such verb
├── AlreadyExistsError
├── ConflictError             stale resource_version, uid that differs
├── ExpiredError              the revision was compacted: list again
├── RequestTooLargeError
├── InvalidError              validation and immutability, with one cause for each field
├── TooManyRequestsError      a budget or a limit; comes with a delay
├── NotAttemptedError         an earlier write of the same batch group failed
├── TerminalError             in a reconciler: do not retry
├── SetupError                a process cannot start, or not stay up, as it is set up
├── InternalError
├── UnavailableError          the server or its store cannot be reached; tells the write's outcome
└── TimedOutError
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Self

from rollplane_machinery.frozen import frozen


class Reason(StrEnum):
    """One word for programs, as in Kubernetes' ``Status.reason``."""

    BAD_REQUEST = "BadRequest"
    UNAUTHENTICATED = "Unauthorized"
    FORBIDDEN = "Forbidden"
    FENCED = "Fenced"
    NOT_FOUND = "NotFound"
    UNSUPPORTED = "MethodNotAllowed"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    EXPIRED = "Expired"
    REQUEST_TOO_LARGE = "RequestEntityTooLarge"
    INVALID = "Invalid"
    TOO_MANY_REQUESTS = "TooManyRequests"
    NOT_ATTEMPTED = "NotAttempted"
    TERMINAL = "Terminal"
    SETUP = "Setup"
    INTERNAL_ERROR = "InternalError"
    UNAVAILABLE = "ServiceUnavailable"
    TIMED_OUT = "Timeout"


class CauseReason(StrEnum):
    """Why one field was refused, as in Kubernetes' ``StatusCause.reason``."""

    REQUIRED = "FieldValueRequired"
    INVALID = "FieldValueInvalid"
    TYPE_INVALID = "FieldValueTypeInvalid"
    FORBIDDEN = "FieldValueForbidden"
    NOT_SUPPORTED = "FieldValueNotSupported"
    DUPLICATE = "FieldValueDuplicate"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    NOT_FOUND = "FieldValueNotFound"
    UNKNOWN_FIELD = "UnknownField"
    NAMESPACE_TERMINATING = "NamespaceTerminating"
    RESOURCE_VERSION_TOO_LARGE = "ResourceVersionTooLarge"
    FIELD_MANAGER_CONFLICT = "FieldManagerConflict"
    DISRUPTION_BUDGET = "DisruptionBudget"


class Outcome(StrEnum):
    """What is known of a write that was neither made nor refused.

    NOT_SENT: this sending was not tried, and will not be. OUTCOME_UNKNOWN: it may have been made, or may still be.
    """

    NOT_SENT = "NOT_SENT"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


@frozen
class Cause:
    """One field that is wrong, named by its JSON path (``spec.template.spec.containers[0].image``)."""

    reason: CauseReason
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class RollplaneError(Exception):
    """Root of every error raised on purpose.

    ``resource`` and ``name`` say which object is meant where one is; ``retry_after_seconds`` when to come again.
    ``outcome`` is None for a definite answer: the write was refused, and no sending of it was or will be made.
    """

    reason = Reason.INTERNAL_ERROR
    outcome: Outcome | None = None

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome | None = None,
        resource: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.resource = resource
        self.name = name
        self.causes = tuple(causes)
        self.retry_after_seconds = retry_after_seconds
        if outcome is not None:
            self.outcome = outcome

    def as_value(self) -> Self:
        """Return the error itself, to be kept instead of raised: without its traceback.

        A frame in that would hold what keeps the error, a cycle that only the collector could free.
        """
        return self.with_traceback(None)

    def with_outcome(self, outcome: Outcome) -> Self:
        """Return the same error, telling ``outcome``."""
        return type(self)(
            self.message,
            outcome=outcome,
            resource=self.resource,
            name=self.name,
            causes=self.causes,
            retry_after_seconds=self.retry_after_seconds,
        )


class BadRequestError(RollplaneError):
    """The request itself is malformed; nothing was looked at."""

    reason = Reason.BAD_REQUEST


class UnauthenticatedError(RollplaneError):
    """Nobody we know sent this."""

    reason = Reason.UNAUTHENTICATED


class ForbiddenError(RollplaneError):
    """The caller, or the state of the namespace, does not allow it."""

    reason = Reason.FORBIDDEN


class FencedError(ForbiddenError):
    """The epoch sent is not the one its shard accepts: another controller owns the shard now."""

    reason = Reason.FENCED


class NotFoundError(RollplaneError):
    """No such object."""

    reason = Reason.NOT_FOUND


class UnsupportedError(RollplaneError):
    """The kind does not offer this verb."""

    reason = Reason.UNSUPPORTED


class AlreadyExistsError(RollplaneError):
    """An object of that name is stored already."""

    reason = Reason.ALREADY_EXISTS


class ConflictError(RollplaneError):
    """The resource_version or uid given is not the stored one; read again and retry."""

    reason = Reason.CONFLICT


class ExpiredError(RollplaneError):
    """The revision asked for is no longer in the log; list again and watch from there."""

    reason = Reason.EXPIRED


class RequestTooLargeError(RollplaneError):
    """An object above 1.5 MiB, or a batch above its limit."""

    reason = Reason.REQUEST_TOO_LARGE


class InvalidError(RollplaneError):
    """The object breaks rules of its kind; ``causes`` names each field."""

    reason = Reason.INVALID


class TooManyRequestsError(RollplaneError):
    """A disruption budget or the server's own limit; come again after ``retry_after_seconds``.

    Whoever met the server's limit was not tried, and is told NOT_SENT.
    """

    reason = Reason.TOO_MANY_REQUESTS


class NotAttemptedError(RollplaneError):
    """An earlier write of the same batch group failed, so this one was not tried."""

    reason = Reason.NOT_ATTEMPTED


class TerminalError(RollplaneError):
    """In a reconciler: retrying cannot help; wait for the object to change."""

    reason = Reason.TERMINAL


class SetupError(RollplaneError):
    """A process cannot start, or not stay up, as it is set up: somebody has to change something, and is told what."""

    reason = Reason.SETUP


class InternalError(RollplaneError):
    """A defect of ours; one that struck where a write may have been made already says so by its ``outcome``."""

    reason = Reason.INTERNAL_ERROR


class UnavailableError(RollplaneError):
    """The server, or the store behind it, cannot be reached now."""

    reason = Reason.UNAVAILABLE
    outcome: Outcome

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        resource: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(
            message,
            outcome=outcome,
            resource=resource,
            name=name,
            causes=causes,
            retry_after_seconds=retry_after_seconds,
        )


class TimedOutError(RollplaneError):
    """Not done within its deadline; a write may have been committed."""

    reason = Reason.TIMED_OUT
    outcome = Outcome.OUTCOME_UNKNOWN
