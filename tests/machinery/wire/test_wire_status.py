"""Errors keep their class, their code and everything they say on the way over the wire."""

from __future__ import annotations

import google.rpc.code_pb2 as code_pb2
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st

from rollplane.meta.v1 import Status as ObjectStatus
from rollplane_machinery import errors
from rollplane_machinery.errors import Cause, CauseReason, Outcome, Reason, RollplaneError
from rollplane_machinery.wire.status import (
    BY_REASON,
    DOMAIN,
    decode_error,
    encode_error,
    encode_object_status,
    make_error,
    shorten_error,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
CAUSES = st.builds(Cause, st.sampled_from(CauseReason), TEXT, TEXT)
ERRORS = st.builds(
    make_error,
    st.sampled_from(Reason),
    TEXT,
    outcome=st.sampled_from(Outcome),
    resource=TEXT,
    name=TEXT,
    causes=st.lists(CAUSES, max_size=3).map(tuple),
    retry_after_seconds=st.none() | st.integers(0, 10_000_000).map(lambda ms: ms / 1000),
)

CODES: dict[type[RollplaneError], int] = {
    errors.BadRequestError: code_pb2.INVALID_ARGUMENT,
    errors.UnauthenticatedError: code_pb2.UNAUTHENTICATED,
    errors.ForbiddenError: code_pb2.PERMISSION_DENIED,
    errors.FencedError: code_pb2.PERMISSION_DENIED,
    errors.NotFoundError: code_pb2.NOT_FOUND,
    errors.UnsupportedError: code_pb2.UNIMPLEMENTED,
    errors.AlreadyExistsError: code_pb2.ALREADY_EXISTS,
    errors.ConflictError: code_pb2.ABORTED,
    errors.ExpiredError: code_pb2.OUT_OF_RANGE,
    errors.RequestTooLargeError: code_pb2.RESOURCE_EXHAUSTED,
    errors.InvalidError: code_pb2.INVALID_ARGUMENT,
    errors.TooManyRequestsError: code_pb2.RESOURCE_EXHAUSTED,
    errors.NotAttemptedError: code_pb2.FAILED_PRECONDITION,
    errors.TerminalError: code_pb2.FAILED_PRECONDITION,
    errors.SetupError: code_pb2.UNAVAILABLE,
    errors.InternalError: code_pb2.INTERNAL,
    errors.UnavailableError: code_pb2.UNAVAILABLE,
    errors.TimedOutError: code_pb2.DEADLINE_EXCEEDED,
}


def _said(error: RollplaneError) -> tuple[object, ...]:
    return (
        type(error),
        error.message,
        error.resource,
        error.name,
        error.causes,
        error.retry_after_seconds,
        error.outcome,
    )


def _details(status: Status) -> dict[str, Any]:
    return {packed.TypeName().rpartition(".")[2]: packed for packed in status.details if isinstance(packed, Any)}


@pytest.mark.parametrize(("error_type", "code"), CODES.items(), ids=lambda value: getattr(value, "__name__", value))
def test_each_error_has_its_status_code(error_type: type[RollplaneError], code: int) -> None:
    assert encode_error(make_error(error_type.reason, "no")).code == code


def test_every_error_class_is_mapped() -> None:
    assert {mapped.error for mapped in BY_REASON.values()} == set(CODES) - {errors.SetupError}
    assert {error_type.reason for error_type in CODES} == set(Reason)


@given(ERRORS)
def test_errors_round_trip(error: RollplaneError) -> None:
    received = Status.FromString(encode_error(error).SerializeToString())
    assert _said(decode_error(received)) == _said(error)


def test_a_peers_setup_is_no_callers_setup() -> None:
    """It would end a process that waits for what it means to be mended elsewhere."""
    told = decode_error(encode_error(errors.SetupError("set the policy to noeviction")))
    assert isinstance(told, errors.UnavailableError)
    assert (told.message, told.outcome) == ("set the policy to noeviction", Outcome.OUTCOME_UNKNOWN)


def test_the_details_are_the_standard_ones() -> None:
    error = errors.UnavailableError(
        "the store is gone",
        outcome=Outcome.NOT_SENT,
        resource="deployments.apps",
        name="web",
        causes=[Cause(CauseReason.INVALID, "spec.replicas", "must not be negative")],
        retry_after_seconds=1.25,
    )
    details = _details(encode_error(error))
    info, fields, resource, retry, status = ErrorInfo(), BadRequest(), ResourceInfo(), RetryInfo(), ObjectStatus()
    for name, message in {
        "ErrorInfo": info,
        "BadRequest": fields,
        "ResourceInfo": resource,
        "RetryInfo": retry,
        "Status": status,
    }.items():
        assert details[name].Unpack(message)
    assert (info.domain, info.reason, dict(info.metadata)) == (DOMAIN, "ServiceUnavailable", {"outcome": "NOT_SENT"})
    assert (fields.field_violations[0].field, fields.field_violations[0].reason) == (
        "spec.replicas",
        "FieldValueInvalid",
    )
    assert (resource.resource_type, resource.resource_name) == ("deployments.apps", "web")
    assert (retry.retry_delay.seconds, retry.retry_delay.nanos) == (1, 250_000_000)
    assert (status.reason, status.code, status.message) == ("ServiceUnavailable", 503, "the store is gone")


def test_the_object_status_reads_as_kubernetes_prints_it() -> None:
    error = errors.NotFoundError('deployments.apps "web" not found', resource="deployments.apps", name="web")
    status = encode_object_status(error)
    assert (status.status, status.reason, status.code) == ("Failure", "NotFound", 404)
    assert (status.details.kind, status.details.group, status.details.name) == ("deployments", "apps", "web")
    assert not status.details.HasField("retry_after_seconds")


FOREIGN = {
    "no connection": (code_pb2.UNAVAILABLE, errors.UnavailableError),
    "cancelled by the peer": (code_pb2.CANCELLED, errors.UnavailableError),
    "deadline": (code_pb2.DEADLINE_EXCEEDED, errors.TimedOutError),
    "no such method": (code_pb2.UNIMPLEMENTED, errors.UnsupportedError),
    "message too large": (code_pb2.RESOURCE_EXHAUSTED, errors.TooManyRequestsError),
    "unknown": (code_pb2.UNKNOWN, errors.InternalError),
    "a code of the future": (99, errors.InternalError),
}


@pytest.mark.parametrize(("code", "error_type"), FOREIGN.values(), ids=FOREIGN)
def test_a_status_without_our_details_is_told_by_its_code(code: int, error_type: type[RollplaneError]) -> None:
    error = decode_error(Status(code=code, message="hm"), outcome=Outcome.NOT_SENT)
    assert type(error) is error_type
    assert error.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize(("code", "error_type"), FOREIGN.values(), ids=FOREIGN)
def test_a_status_without_our_details_is_no_definite_answer(code: int, error_type: type[RollplaneError]) -> None:
    assert decode_error(Status(code=code, message="hm")).outcome is Outcome.OUTCOME_UNKNOWN


def test_only_a_refusal_is_a_definite_answer() -> None:
    refused = errors.TooManyRequestsError("the budget is used up")
    untried = errors.TooManyRequestsError("20000 writes are queued", outcome=Outcome.NOT_SENT)
    assert [decode_error(encode_error(error)).outcome for error in (refused, untried)] == [None, Outcome.NOT_SENT]


def test_reasons_of_another_domain_or_time_do_not_count() -> None:
    for info in (ErrorInfo(reason="Conflict", domain="example.org"), ErrorInfo(reason="FromTheFuture", domain=DOMAIN)):
        status = Status(code=code_pb2.NOT_FOUND)
        status.details.add().Pack(info)
        assert type(decode_error(status)) is errors.NotFoundError


@given(st.binary(max_size=80), st.sampled_from(["google.rpc.ErrorInfo", "google.rpc.RetryInfo", "x"]))
def test_details_that_are_garbage_are_as_good_as_none(value: bytes, name: str) -> None:
    packed = Any(type_url=f"type.googleapis.com/{name}", value=value)
    assert isinstance(decode_error(Status(code=code_pb2.ABORTED, details=[packed])), RollplaneError)


def test_a_short_error_is_not_touched() -> None:
    error = errors.ConflictError("stale", resource="pods", name="a")
    assert shorten_error(error) is error


@pytest.mark.parametrize("text", ["x", "ü"])
def test_a_long_error_fits_into_metadata(text: str) -> None:
    causes = [Cause(CauseReason.REQUIRED, f"spec.containers[{i}].image", text * 40) for i in range(500)]
    error = errors.InvalidError(text * 90_000, resource="pods", name=text * 5_000, causes=causes)
    short = shorten_error(error)
    assert encode_error(short).ByteSize() < 6_500
    assert short.causes[0] == causes[0]
    assert short.causes[-1].message == f"and {500 - len(short.causes) + 1} more"


def test_a_shortened_error_keeps_its_outcome_and_delay() -> None:
    error = errors.UnavailableError("x" * 5_000, outcome=Outcome.NOT_SENT, retry_after_seconds=2.0)
    short = shorten_error(error)
    assert isinstance(short, errors.UnavailableError)
    assert (short.outcome, short.retry_after_seconds) == (Outcome.NOT_SENT, 2.0)
