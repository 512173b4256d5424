"""The life of one call, the same for every method: authenticate, admit, read, run, answer or refuse, measure.

Handlers get bytes and give bytes, so that a request that is garbage is refused by us, with words, and messages are
serialized in one place. Every RollplaneError becomes a status with details; anything else that is raised is a defect:
it is logged once, and the client learns no more than that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from rollplane_apiserver.core import Identity
from rollplane_apiserver.rpc.authentication import Authenticate
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    InternalError,
    Outcome,
    RollplaneError,
    TimedOutError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.wire.parts import parse
from rollplane_machinery.wire.status import BY_REASON, encode_error, shorten_error
from rollplane_service.admission import Admission, Limits

log = logging.getLogger(__name__)

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries google.rpc.Status."""

A = TypeVar("A")
M = TypeVar("M", bound=Message)
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

_CODES: Mapping[int, grpc.StatusCode] = MappingProxyType({code.value[0]: code for code in grpc.StatusCode})


@dataclass(frozen=True, slots=True)
class Unary(Generic[A, M]):
    """A method that answers once: the request it reads, and what it does with it."""

    request: type[M]
    run: Callable[[A, M], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Streaming(Generic[A, M]):
    """A method that answers with a stream of messages, serialized already, which the client or the Api ends."""

    request: type[M]
    run: Callable[[A, M], AsyncGenerator[bytes, None]]


@dataclass(frozen=True, slots=True)
class Service(Generic[A]):
    """A service: its full name, the Api it asks in a caller's name, and its methods."""

    name: str
    api_of: Callable[[Identity], A]
    methods: Mapping[str, Unary[A, Any] | Streaming[A, Any]]


class CallMetrics(Protocol):
    """Where calls are counted."""

    def call_ended(self, service: str, method: str, code: str, seconds: float) -> None:
        """Count a call that ended with ``code`` (gRPC's name) after ``seconds``."""
        ...


class Calls:
    """Makes gRPC handlers of services."""

    def __init__(
        self,
        admission: Admission,
        authenticate: Authenticate,
        metrics: CallMetrics,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._admission = admission
        self._authenticate = authenticate
        self._metrics = metrics
        self._clock = clock
        self._limits = limits

    def handler(self, service: Service[A]) -> grpc.GenericRpcHandler:
        """Return what a gRPC server needs to serve ``service``."""
        return grpc.method_handlers_generic_handler(
            service.name, {name: self._method_handler(service, name) for name in service.methods}
        )

    def _method_handler(self, service: Service[A], name: str) -> grpc.RpcMethodHandler[bytes, bytes]:
        method = service.methods[name]
        if isinstance(method, Unary):
            return grpc.unary_unary_rpc_method_handler(self._answering_once(service, name, method))
        return grpc.unary_stream_rpc_method_handler(self._streaming(service, name, method))

    def _answering_once(self, service: Service[A], name: str, method: Unary[A, M]) -> Any:
        async def handle(data: bytes, context: Context) -> bytes:
            ending = _Ending(self, service.name, name)
            try:
                with self._admission.call(len(data)):
                    api = service.api_of(self._identify(context))
                    response = await self._in_time(context, method.run(api, parse(method.request, data)))
                    answer = response.SerializeToString()
            except asyncio.CancelledError:
                ending.count(grpc.StatusCode.CANCELLED)
                raise
            except Exception as exc:
                return await ending.refuse(context, exc)
            ending.count(grpc.StatusCode.OK)
            return answer

        return handle

    def _streaming(self, service: Service[A], name: str, method: Streaming[A, M]) -> Any:
        async def handle(data: bytes, context: Context) -> AsyncIterator[bytes]:
            ending = _Ending(self, service.name, name)
            try:
                with self._admission.stream():
                    api = service.api_of(self._identify(context))
                    async with aclosing(method.run(api, parse(method.request, data))) as responses:
                        async for response in responses:
                            yield response
            except (asyncio.CancelledError, GeneratorExit):
                ending.count(grpc.StatusCode.CANCELLED)
                raise
            except Exception as exc:
                await ending.refuse(context, exc)
            ending.count(grpc.StatusCode.OK)

        return handle

    def _identify(self, context: Context) -> Identity:
        return self._authenticate(context.invocation_metadata() or ())

    async def _in_time(self, context: Context, running: Awaitable[Message]) -> Message:
        """Await the answer; raises TimedOutError for a call that takes longer than any may.

        A client's own deadline, when it is the earlier one, is gRPC's to watch: it cancels us.
        """
        remaining: float | None = context.time_remaining()  # None when the client set no deadline
        limit = self._limits.call_seconds
        if remaining is not None and remaining <= limit:
            return await running
        try:
            async with asyncio.timeout(limit):
                return await running
        except TimeoutError as exc:
            raise TimedOutError(f"not done within {limit:g} s") from exc

    def error_of(self, raised: Exception, method: str) -> RollplaneError:
        """Return what the client is told of ``raised``."""
        if not isinstance(raised, RollplaneError):
            log.error("call failed by a defect", exc_info=raised, extra={"method": method})
            return InternalError("internal error, recorded in the server's log", outcome=Outcome.OUTCOME_UNKNOWN)
        if isinstance(raised, UnavailableError | TooManyRequestsError) and raised.retry_after_seconds is None:
            raised.retry_after_seconds = self._limits.retry_after_seconds
        return shorten_error(raised)

    def ended(self, service: str, method: str, code: grpc.StatusCode, started: float) -> None:
        """Count a call that began at ``started``."""
        self._metrics.call_ended(service, method, code.name, self._clock.monotonic() - started)

    def now(self) -> float:
        """Return the present on the clock that calls are timed with."""
        return self._clock.monotonic()


class _Ending:
    """How one call ends; it is counted before the client knows, so that a client's next look at the metrics is true."""

    def __init__(self, calls: Calls, service: str, method: str) -> None:
        self._calls = calls
        self._service = service
        self._method = method
        self._started = calls.now()

    def count(self, code: grpc.StatusCode) -> None:
        self._calls.ended(self._service, self._method, code, self._started)

    async def refuse(self, context: Context, raised: Exception) -> NoReturn:
        error = self._calls.error_of(raised, self._method)
        self.count(_CODES[BY_REASON[error.reason].code])
        await abort(context, error)


async def abort(context: Context, error: RollplaneError) -> NoReturn:
    """End a call with ``error`` and its details."""
    status = encode_error(error)
    await context.abort(_CODES[status.code], status.message, ((DETAILS_KEY, status.SerializeToString()),))
