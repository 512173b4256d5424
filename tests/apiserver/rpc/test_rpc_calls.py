"""One call's life: who is believed, what is refused and in which words, what is counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import google.rpc.code_pb2 as code_pb2
import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from rollplane.api import v1 as pb
from rollplane_apiserver.core import Role
from rollplane_machinery import kinds
from rollplane_machinery.api import Key, Write, WriteResult
from rollplane_machinery.errors import (
    Cause,
    CauseReason,
    InvalidError,
    Outcome,
    Reason,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.wire.parts import encode_key
from rollplane_machinery.wire.status import BY_REASON, decode_error, make_error
from rollplane_service.admission import Limits
from tests.apiserver.rpc.serving import ScriptedCore, Served, serving

DELETE = pb.DeleteRequest(key=encode_key(Key(kinds.POD, "default", "web-0")))


def raising(error: Exception) -> Callable[[Write], Awaitable[WriteResult]]:
    async def write(_: Write) -> WriteResult:
        raise error

    return write


async def never(_: Write) -> WriteResult:
    await asyncio.Event().wait()
    raise AssertionError


def retry_seconds(status: Status) -> float | None:
    for detail in status.details:
        retry = RetryInfo()
        if detail.Unpack(retry):
            return retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return None


@pytest.mark.parametrize("reason", Reason)
async def test_every_error_crosses_the_wire(served: Served, reason: Reason) -> None:
    cause = Cause(CauseReason.INVALID, "spec.replicas", "must not be negative")
    error = make_error(reason, "no way", outcome=Outcome.NOT_SENT, resource="pods", name="web-0", causes=(cause,))
    served.api.on_write = raising(error)
    code, status = await served.refusal("ObjectService/Delete", DELETE)
    assert code.value[0] == status.code == BY_REASON[reason].code
    received = decode_error(status)
    assert type(received) is type(error)
    assert (received.message, received.resource, received.name) == ("no way", "pods", "web-0")
    assert received.causes == (cause,)
    assert served.calls.ended == [("ObjectService", "Delete", code.name)]


@pytest.mark.parametrize("reason", [Reason.UNAVAILABLE, Reason.TOO_MANY_REQUESTS])
async def test_who_must_come_again_is_told_when(served: Served, reason: Reason) -> None:
    served.api.on_write = raising(make_error(reason, "later"))
    _, status = await served.refusal("ObjectService/Delete", DELETE)
    assert retry_seconds(status) == Limits().retry_after_seconds
    served.api.on_write = raising(make_error(reason, "later", retry_after_seconds=7.5))
    _, status = await served.refusal("ObjectService/Delete", DELETE)
    assert retry_seconds(status) == 7.5


@pytest.mark.parametrize("outcome", Outcome)
async def test_the_outcome_of_a_write_is_told(served: Served, outcome: Outcome) -> None:
    served.api.on_write = raising(UnavailableError("the store is gone", outcome=outcome))
    _, status = await served.refusal("ObjectService/Delete", DELETE)
    received = decode_error(status)
    assert isinstance(received, UnavailableError)
    assert received.outcome is outcome


async def test_a_defect_is_logged_once_and_not_told(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.api.on_write = raising(ZeroDivisionError("secret of the house"))
    with caplog.at_level(logging.ERROR):
        code, status = await served.refusal("ObjectService/Delete", DELETE)
    assert code is grpc.StatusCode.INTERNAL
    assert "secret" not in str(status)
    assert "Traceback" not in str(status)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


async def test_refusals_are_not_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.api.on_write = raising(TimedOutError("late"))
    with caplog.at_level(logging.INFO):
        await served.refusal("ObjectService/Delete", DELETE)
    assert caplog.records == []


async def test_an_error_with_thousands_of_causes_arrives(served: Served) -> None:
    causes = [Cause(CauseReason.REQUIRED, f"spec.containers[{i}].image", "ü" * 50) for i in range(3000)]
    error = InvalidError("; ".join(map(str, causes)), resource="pods", name="n" * 20_000, causes=causes)
    served.api.on_write = raising(error)
    code, status = await served.refusal("ObjectService/Delete", DELETE)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert decode_error(status).causes[0] == causes[0]


async def test_a_caller_is_an_editor_unless_it_says_otherwise(served: Served) -> None:
    await served.call("ObjectService/Delete", DELETE)
    await served.call(
        "ObjectService/Delete", DELETE, metadata=[("rollplane-role", "controller"), ("rollplane-name", "c-1")]
    )
    assert [(who.name, who.role) for who in served.core.identities] == [
        ("editor", Role.EDITOR),
        ("c-1", Role.CONTROLLER),
    ]


async def test_a_role_that_does_not_exist_is_nobody(served: Served) -> None:
    code, status = await served.refusal("ObjectService/Delete", DELETE, metadata=[("rollplane-role", "emperor")])
    assert code is grpc.StatusCode.UNAUTHENTICATED
    assert "emperor" in status.message
    assert served.api.asked == []


async def test_the_clients_deadline_ends_the_call(served: Served) -> None:
    served.api.on_write = never
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.call("ObjectService/Delete", DELETE, seconds=0.05)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_the_servers_own_deadline_ends_a_call_without_one() -> None:
    async with serving(ScriptedCore(), Limits(call_seconds=0.05)) as served:
        served.api.on_write = never
        code, status = await served.refusal("ObjectService/Delete", DELETE)
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert type(decode_error(status)) is TimedOutError
        assert served.server.admission.calls == 0


async def test_calls_above_the_limit_are_sent_away_at_once() -> None:
    async with serving(ScriptedCore(), Limits(calls=2)) as served:
        entered, leave = asyncio.Semaphore(0), asyncio.Event()

        async def wait(_: Write) -> WriteResult:
            entered.release()
            await leave.wait()
            return WriteResult(1)

        served.api.on_write = wait
        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(served.call("ObjectService/Delete", DELETE))
            for _ in range(2):
                await entered.acquire()
            code, status = await served.refusal("ObjectService/Delete", DELETE)
            leave.set()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert type(decode_error(status)) is TooManyRequestsError
        assert retry_seconds(status) == Limits().retry_after_seconds
        await served.call("ObjectService/Delete", DELETE)  # the places were given back


async def test_bytes_in_progress_are_limited_too() -> None:
    async with serving(ScriptedCore(), Limits(call_bytes=1000)) as served:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def wait(_: Write) -> WriteResult:
            entered.set()
            await leave.wait()
            return WriteResult(1)

        served.api.on_write = wait
        large = pb.DeleteRequest(key=pb.ObjectKey(resource="pods", name="n" * 2000))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(served.call("ObjectService/Delete", large))  # alone, it gets in whatever its size
            await entered.wait()
            code, _ = await served.refusal("ObjectService/Delete", DELETE)
            leave.set()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_method_that_does_not_exist_is_unimplemented(served: Served) -> None:
    code, _ = await served.refusal("ObjectService/Explode", b"")
    assert code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_message_above_eight_mib_is_refused(served: Served) -> None:
    code, _ = await served.refusal("ObjectService/Delete", b"\x00" * (9 * 1024 * 1024))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    await served.call("ObjectService/Delete", DELETE)


async def test_a_second_server_on_the_same_port_fails(served: Served) -> None:
    async with serving(ScriptedCore(), Limits()) as other:
        with pytest.raises(OSError, match="cannot listen"):
            await other.server.listen(f"127.0.0.1:{served.port}")


def test_the_codes_are_those_of_grpc() -> None:
    assert {code.value[0] for code in grpc.StatusCode} == set(code_pb2.Code.values())
