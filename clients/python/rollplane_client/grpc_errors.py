"""gRPC's errors as ours; none crosses this room's door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from rollplane_client.channel import MAX_REQUEST_BYTES
from rollplane_machinery.errors import (
    Outcome,
    RequestTooLargeError,
    RollplaneError,
    UnavailableError,
)
from rollplane_machinery.wire.status import decode_error

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries google.rpc.Status."""

_NEVER_LEFT = (
    "connections to all backends failing",  # said by the round_robin policy
    "failed to connect to all addresses",  # by pick_first
    "errors resolving",
    "DNS resolution failed",
)
"""How gRPC's client says that it had no connection to put the call on.

It gives no other sign. A call that was on a connection fails with other words, and gRPC puts a call on a second one
only if the first provably left it alone; so a call that ends with these was never carried out by anybody. Words that
a later gRPC changes make a write's outcome unknown, which is safe; the tests notice.
"""


def error_of(error: grpc.aio.AioRpcError, request: Message) -> RollplaneError:
    """Return the error that ``error`` tells of: with our details the server's own, else by its code.

    Only what the server itself says with our details is an answer to a write. Any other status, whatever its code, may
    come from anybody between it and us, also behind the commit: the outcome is unknown, unless the call provably never
    left.
    """
    text = error.details() or error.code().name
    status = _details(error)
    if status is not None:
        return decode_error(status)
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
        # What is too large is refused by us before it leaves, or by the server before it reads it. But the words are
        # the same when it is the answer.
        refused = request.ByteSize() > MAX_REQUEST_BYTES
        return RequestTooLargeError(text, outcome=None if refused else Outcome.OUTCOME_UNKNOWN)
    never_left = error.code() is grpc.StatusCode.UNAVAILABLE and text.startswith(_NEVER_LEFT)
    outcome = Outcome.NOT_SENT if never_left else Outcome.OUTCOME_UNKNOWN
    return decode_error(Status(code=error.code().value[0], message=text), outcome=outcome)


def _details(error: grpc.aio.AioRpcError) -> Status | None:
    """Return the status the server attached, None when it attached none that can be read."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                return None
    return None


@contextmanager
def translated(request: Message, is_closed: Callable[[], bool]) -> Iterator[None]:
    """Let only RollplaneErrors out of the block, which sends ``request``, and the caller's own cancellation.

    gRPC ends the calls of a channel that is being closed, and a call that we gave up, with CancelledError, as if their
    tasks had been cancelled; ``is_closed`` tells whether that is the case, and they get an UnavailableError instead.
    """
    try:
        yield
    except grpc.aio.AioRpcError as exc:
        raise error_of(exc, request) from exc
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if is_closed() and task is not None and not task.cancelling():
            raise UnavailableError("the connection was closed", outcome=Outcome.OUTCOME_UNKNOWN) from exc
        raise
