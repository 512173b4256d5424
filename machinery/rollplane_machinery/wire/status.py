"""Errors as google.rpc.Status and back, by the table in docs/api.md.

Two reasons may share one status code (BadRequest and Invalid, Forbidden and Fenced), so the details tell them apart:
ErrorInfo names the reason, and of a write that was not refused for good its outcome; BadRequest, ResourceInfo and
RetryInfo are there for any gRPC client; meta.v1.Status is the error as Kubernetes would print it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from itertools import accumulate
from types import MappingProxyType
from typing import TypeVar

import google.rpc.code_pb2 as code_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status

from rollplane.meta.v1 import Status as ObjectStatus
from rollplane.meta.v1 import StatusCause, StatusDetails
from rollplane_machinery.errors import (
    AlreadyExistsError,
    BadRequestError,
    Cause,
    CauseReason,
    ConflictError,
    ExpiredError,
    FencedError,
    ForbiddenError,
    InternalError,
    InvalidError,
    NotAttemptedError,
    NotFoundError,
    Outcome,
    Reason,
    RequestTooLargeError,
    RollplaneError,
    TerminalError,
    TimedOutError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from rollplane_machinery.frozen import frozen

DOMAIN = "rollplane.dev"
"""ErrorInfo's domain: reasons are ours only under it."""

_NANOS = 1_000_000_000
_OUTCOME = "outcome"
_MESSAGE_BYTES = 1024
_CAUSES_BYTES = 1024
_CAUSE_FRAME_BYTES = 8
_NAME_BYTES = 253


@frozen
class Mapped:
    """What a reason is in each tongue: our class, gRPC's status code, HTTP's."""

    error: type[RollplaneError]
    code: int
    http: int


BY_REASON: Mapping[Reason, Mapped] = MappingProxyType(
    {
        Reason.BAD_REQUEST: Mapped(BadRequestError, code_pb2.INVALID_ARGUMENT, 400),
        Reason.UNAUTHENTICATED: Mapped(UnauthenticatedError, code_pb2.UNAUTHENTICATED, 401),
        Reason.FORBIDDEN: Mapped(ForbiddenError, code_pb2.PERMISSION_DENIED, 403),
        Reason.FENCED: Mapped(FencedError, code_pb2.PERMISSION_DENIED, 403),
        Reason.NOT_FOUND: Mapped(NotFoundError, code_pb2.NOT_FOUND, 404),
        Reason.UNSUPPORTED: Mapped(UnsupportedError, code_pb2.UNIMPLEMENTED, 405),
        Reason.ALREADY_EXISTS: Mapped(AlreadyExistsError, code_pb2.ALREADY_EXISTS, 409),
        Reason.CONFLICT: Mapped(ConflictError, code_pb2.ABORTED, 409),
        Reason.EXPIRED: Mapped(ExpiredError, code_pb2.OUT_OF_RANGE, 410),
        Reason.REQUEST_TOO_LARGE: Mapped(RequestTooLargeError, code_pb2.RESOURCE_EXHAUSTED, 413),
        Reason.INVALID: Mapped(InvalidError, code_pb2.INVALID_ARGUMENT, 422),
        Reason.TOO_MANY_REQUESTS: Mapped(TooManyRequestsError, code_pb2.RESOURCE_EXHAUSTED, 429),
        Reason.NOT_ATTEMPTED: Mapped(NotAttemptedError, code_pb2.FAILED_PRECONDITION, 424),
        Reason.TERMINAL: Mapped(TerminalError, code_pb2.FAILED_PRECONDITION, 500),
        # A process' own setup is nobody else's: to those it serves it is away.
        Reason.SETUP: Mapped(UnavailableError, code_pb2.UNAVAILABLE, 503),
        Reason.INTERNAL_ERROR: Mapped(InternalError, code_pb2.INTERNAL, 500),
        Reason.UNAVAILABLE: Mapped(UnavailableError, code_pb2.UNAVAILABLE, 503),
        Reason.TIMED_OUT: Mapped(TimedOutError, code_pb2.DEADLINE_EXCEEDED, 504),
    }
)

_REASON_OF_CODE: Mapping[int, Reason] = MappingProxyType(
    {
        code_pb2.CANCELLED: Reason.UNAVAILABLE,  # not by us: the peer let go of the call
        code_pb2.INVALID_ARGUMENT: Reason.BAD_REQUEST,
        code_pb2.DEADLINE_EXCEEDED: Reason.TIMED_OUT,
        code_pb2.NOT_FOUND: Reason.NOT_FOUND,
        code_pb2.ALREADY_EXISTS: Reason.ALREADY_EXISTS,
        code_pb2.PERMISSION_DENIED: Reason.FORBIDDEN,
        code_pb2.UNAUTHENTICATED: Reason.UNAUTHENTICATED,
        code_pb2.RESOURCE_EXHAUSTED: Reason.TOO_MANY_REQUESTS,
        code_pb2.FAILED_PRECONDITION: Reason.CONFLICT,
        code_pb2.ABORTED: Reason.CONFLICT,
        code_pb2.OUT_OF_RANGE: Reason.EXPIRED,
        code_pb2.UNIMPLEMENTED: Reason.UNSUPPORTED,
        code_pb2.UNAVAILABLE: Reason.UNAVAILABLE,
    }
)
"""For a status without our details, as gRPC's own runtime makes them. All other codes are InternalError."""


def encode_error(error: RollplaneError) -> Status:
    """Return ``error`` as a status from which ``decode_error`` makes the same error again."""
    status = Status(code=BY_REASON[error.reason].code, message=error.message)
    for detail in _details(error):
        status.details.add().Pack(detail)
    return status


def _details(error: RollplaneError) -> list[Message]:
    info = ErrorInfo(reason=error.reason, domain=DOMAIN)
    if error.outcome is not None:
        info.metadata[_OUTCOME] = error.outcome
    details: list[Message] = [info, encode_object_status(error)]
    if error.causes:
        details.append(
            BadRequest(
                field_violations=[
                    BadRequest.FieldViolation(field=cause.field, description=cause.message, reason=cause.reason)
                    for cause in error.causes
                ]
            )
        )
    if error.resource or error.name:
        details.append(ResourceInfo(resource_type=error.resource, resource_name=error.name))
    if error.retry_after_seconds is not None:
        details.append(RetryInfo(retry_delay=_duration(error.retry_after_seconds)))
    return details


def encode_object_status(error: RollplaneError) -> ObjectStatus:
    """Return ``error`` as Kubernetes' Status object; its seconds to wait are whole, rounded up."""
    plural, _, group = error.resource.partition(".")
    details = StatusDetails(
        name=error.name or None,
        group=group or None,
        kind=plural or None,
        causes=[StatusCause(reason=cause.reason, message=cause.message, field=cause.field) for cause in error.causes],
    )
    if error.retry_after_seconds is not None:
        details.retry_after_seconds = math.ceil(error.retry_after_seconds)
    return ObjectStatus(
        status="Failure", message=error.message, reason=error.reason, details=details, code=BY_REASON[error.reason].http
    )


def _duration(seconds: float) -> Duration:
    whole, nanos = divmod(round(seconds * _NANOS), _NANOS)
    return Duration(seconds=whole, nanos=nanos)


def decode_error(status: Status, *, outcome: Outcome = Outcome.OUTCOME_UNKNOWN) -> RollplaneError:
    """Return the error a status tells of.

    A status that is not from our server's code (gRPC's own: no connection, deadline exceeded) is mapped by its code;
    ``outcome`` is what is known of the write then, whatever the code.
    """
    details = _Details.of(status)
    reason = details.reason or _REASON_OF_CODE.get(status.code, Reason.INTERNAL_ERROR)
    return make_error(
        reason,
        status.message,
        outcome=details.outcome if details.reason else outcome,
        resource=details.resource.resource_type,
        name=details.resource.resource_name,
        causes=details.causes,
        retry_after_seconds=details.retry_after_seconds,
    )


def make_error(
    reason: Reason,
    message: str,
    *,
    outcome: Outcome | None = None,
    resource: str = "",
    name: str = "",
    causes: tuple[Cause, ...] = (),
    retry_after_seconds: float | None = None,
) -> RollplaneError:
    """Return an error of the class that stands for ``reason``; without ``outcome`` it is what the class says."""
    error = BY_REASON[reason].error
    if error is UnavailableError and outcome is None:
        outcome = Outcome.OUTCOME_UNKNOWN  # whoever could not be reached has refused nothing
    return error(
        message,
        outcome=outcome,
        resource=resource,
        name=name,
        causes=causes,
        retry_after_seconds=retry_after_seconds,
    )


@frozen
class _Details:
    """What the details of one status say; each part is empty when absent or not understood."""

    reason: Reason | None
    outcome: Outcome | None
    resource: ResourceInfo
    causes: tuple[Cause, ...]
    retry_after_seconds: float | None

    @classmethod
    def of(cls, status: Status) -> _Details:
        info, resource, bad_request, retry = ErrorInfo(), ResourceInfo(), BadRequest(), RetryInfo()
        for packed in status.details:
            for message in (info, resource, bad_request, retry):
                _unpack(packed, message)
        ours = info.domain == DOMAIN
        delay = retry.retry_delay.seconds * _NANOS + retry.retry_delay.nanos
        return cls(
            reason=_member(Reason, info.reason) if ours else None,
            outcome=_member(Outcome, info.metadata.get(_OUTCOME, "")) if ours else None,
            resource=resource,
            causes=tuple(_cause(violation) for violation in bad_request.field_violations),
            retry_after_seconds=delay / _NANOS if retry.HasField("retry_delay") else None,
        )


def _unpack(packed: Any, message: Message) -> None:
    """Fill ``message`` when ``packed`` holds one; a detail that cannot be read is as good as none."""
    try:
        packed.Unpack(message)
    except DecodeError:
        message.Clear()


def _cause(violation: BadRequest.FieldViolation) -> Cause:
    reason = _member(CauseReason, violation.reason) or CauseReason.INVALID
    return Cause(reason, violation.field, violation.description)


_Word = TypeVar("_Word", bound=StrEnum)


def _member(words: type[_Word], text: str) -> _Word | None:
    """The member ``text`` names, None when a newer or foreign server said something we do not know."""
    try:
        return words(text)
    except ValueError:
        return None


def shorten_error(error: RollplaneError) -> RollplaneError:
    """Return ``error`` cut so that its status fits into a call's trailing metadata (8 KiB for any peer).

    The message travels three times there and each cause twice, so they get 1 KiB each. Causes that were left out are
    counted in a last one.
    """
    causes = _first_causes(error.causes)
    message, name = _cut(error.message, _MESSAGE_BYTES), _cut(error.name, _NAME_BYTES)
    if (message, name, causes) == (error.message, error.name, error.causes):
        return error
    return make_error(
        error.reason,
        message,
        outcome=error.outcome,
        resource=_cut(error.resource, _NAME_BYTES),
        name=name,
        causes=causes,
        retry_after_seconds=error.retry_after_seconds,
    )


def _first_causes(causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    sizes = accumulate(len(str(cause).encode()) + len(cause.reason) + _CAUSE_FRAME_BYTES for cause in causes)
    fitting = sum(1 for size in sizes if size <= _CAUSES_BYTES)
    if fitting == len(causes):
        return causes
    return (*causes[:fitting], Cause(CauseReason.TOO_MANY, "", f"and {len(causes) - fitting} more"))


def _cut(text: str, max_bytes: int) -> str:
    data = text.encode()
    return text if len(data) <= max_bytes else data[: max_bytes - 3].decode(errors="ignore") + "…"
