"""Connections to Redis with a deadline on everything, and the one place where Redis' errors become ours.

What matters to a writer is whether a command may have been carried out: before it was sent, or when Redis refused to
begin, it was not (NOT_SENT); once sent and not answered nobody knows (OUTCOME_UNKNOWN).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from rollplane_apiserver.store.dial import Dialer
from rollplane_apiserver.store.store_clock import StoreClock
from rollplane_machinery.errors import InternalError, Outcome, RollplaneError, UnavailableError

log = logging.getLogger(__name__)

Reply = Any
"""What redis-py makes of a reply: bytes, int, None, a list of these, or a ResponseError."""

Greeting = Callable[["Link"], Awaitable[None]]
"""What is done first on a new connection; raises RollplaneError, and then the connection is not used."""

RETRY_AFTER_SECONDS = 1.0

REFUSED_TO_BEGIN = (
    AskError,  # also MOVED
    ClusterDownError,  # also MASTERDOWN
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
REFUSED_CODES = ("BUSY ", "LATE ", "MISCONF ", "NOREPLICAS ", "UNBLOCKED ")
"""Further replies that mean nothing was done; LATE is said by our script, UNBLOCKED when a master becomes a replica."""
MEETS_ANOTHER = ("LATE ", "UNBLOCKED ")


def pack(*arguments: bytes) -> bytes:
    """Return a command as Redis reads it."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        parts.append(b"$%d\r\n" % len(argument))
        parts.append(argument)
        parts.append(b"\r\n")
    return b"".join(parts)


def translate(error: ResponseError) -> RollplaneError:
    """Return our error for an error reply; one that Redis gives before it begins means NOT_SENT."""
    if isinstance(error, REFUSED_TO_BEGIN) or str(error).startswith(REFUSED_CODES):
        return _unavailable(f"the store refuses: {error}", Outcome.NOT_SENT)
    return InternalError(f"the store failed: {error}", outcome=Outcome.OUTCOME_UNKNOWN)


def raise_first(replies: Sequence[Reply]) -> None:
    """Raise our error for the first error reply, if there is one."""
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise translate(reply)


def _unavailable(message: str, outcome: Outcome) -> UnavailableError:
    return UnavailableError(message, outcome=outcome, retry_after_seconds=RETRY_AFTER_SECONDS)


class Link:
    """One connection, for one user at a time. It is closed by the first failure; ``open`` opens it again."""

    def __init__(self, dial: Dialer, greet: Greeting, *, timeout_seconds: float) -> None:
        self.run_id = b""
        self.clock = StoreClock()
        self._dial = dial
        self._greet = greet
        self._timeout = timeout_seconds
        self._connection: AbstractConnection | None = None

    async def open(self) -> None:
        """Connect and greet unless that is done; raises UnavailableError (NOT_SENT)."""
        if self._connection is not None and not await _is_usable(self._connection):
            await self.close()
        if self._connection is not None:
            return
        try:
            async with asyncio.timeout(self._timeout):
                self._connection = await self._dial()
                self.clock = StoreClock()
                await self._greet(self)
        except UnavailableError as exc:
            await self.close()
            raise _unavailable(exc.message, Outcome.NOT_SENT) from exc
        except (RedisError, OSError) as exc:  # TimeoutError is an OSError
            await self.close()
            raise _unavailable(f"the store cannot be reached: {exc or 'no answer in time'}", Outcome.NOT_SENT) from exc
        except BaseException:
            await self.close()
            raise

    async def call(self, *arguments: bytes) -> Reply:
        """Send one command and return its answer; raises UnavailableError, or InternalError for an error reply."""
        return (await self.call_all(pack(*arguments)))[0]

    async def call_all(self, *commands: bytes, patience_seconds: float = 0.0) -> list[Reply]:
        """Send packed commands at once and return their answers; raises as ``call`` does, for the first that failed."""
        replies = await self.exchange(*commands, patience_seconds=patience_seconds)
        raise_first(replies)
        return replies

    async def exchange(self, *commands: bytes, patience_seconds: float = 0.0) -> list[Reply]:
        """Send packed commands at once and return their answers, error replies among them.

        Blocks at most the link's timeout and ``patience_seconds``. Raises UnavailableError, NOT_SENT only when the
        link is closed: it is never opened again between two commands, since that may be another server.
        """
        connection = self._connection
        if connection is None:
            raise UnavailableError("the connection to the store is closed", outcome=Outcome.NOT_SENT)
        try:
            async with asyncio.timeout(self._timeout + patience_seconds):
                await connection.send_packed_command(list(commands), check_health=False)
                replies = [await _read(connection) for _ in commands]
        except BusyLoadingError as exc:
            await self.close()
            raise _unavailable(f"the store refuses: {exc}", Outcome.NOT_SENT) from exc
        except (RedisError, OSError) as exc:
            await self.close()
            raise _unavailable(f"the store did not answer: {exc or 'in time'}", Outcome.OUTCOME_UNKNOWN) from exc
        except BaseException:
            await self.close()
            raise
        if any(map(_must_be_greeted, replies)):
            await self.close()
        return replies

    async def call_master(self, *command: bytes) -> Reply:
        """Send one command and return its answer if the server is a master: a replica's may be old.

        Raises as ``call`` does, and UnavailableError (NOT_SENT) when the server is no master any more.
        """
        role, answer = await self.call_all(pack(b"ROLE"), pack(*command))
        await self.check_master(role)
        return answer

    async def check_master(self, role: Reply) -> None:
        """Raise UnavailableError and close the link unless ``role``, the answer to ROLE, is that of a master."""
        if role[0] != b"master":
            await self.close()
            raise _unavailable("the server has become a replica", Outcome.NOT_SENT)

    def latest_start(self, patience_seconds: float = 0.0) -> int:
        """Return when a command sent now has to begin, so that it does not after its caller gave it up.

        In microseconds of the server's clock.
        """
        return self.clock.deadline(asyncio.get_running_loop().time() + self._timeout + patience_seconds)

    async def close(self) -> None:
        """Drop the connection; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _is_usable(connection: AbstractConnection) -> bool:
    """Tell whether nothing has come unasked: after a restart of the server the end of the stream has."""
    try:
        return not await connection.can_read()
    except (RedisError, OSError):
        return False


def _must_be_greeted(reply: Reply) -> bool:
    """Tell whether the server lost its scripts or its role, or its clock was set: then it must be found anew."""
    if not isinstance(reply, ResponseError) or isinstance(reply, OutOfMemoryError):
        return False
    return isinstance(reply, REFUSED_TO_BEGIN) or str(reply).startswith(MEETS_ANOTHER)


async def _read(connection: AbstractConnection) -> Reply:
    try:
        return await connection.read_response()
    except ResponseError as exc:
        return exc


class LinkPool:
    """A few links for many users; who finds none idle waits for one."""

    def __init__(self, size: int, make: Callable[[], Link], *, timeout_seconds: float) -> None:
        self._timeout = timeout_seconds
        self._links = [make() for _ in range(size)]
        # The link used last is used next, so that an idle plane keeps one connection busy and not all.
        self._idle: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for link in self._links:
            self._idle.put_nowait(link)
        self._closed = False

    @asynccontextmanager
    async def link(self) -> AsyncIterator[Link]:
        """Lend a link that is open.

        Raises UnavailableError (NOT_SENT) when the pool is closed, none gets free in time or no server is reached.
        """
        link = await self._take()
        try:
            await link.open()
            yield link
        finally:
            self._idle.put_nowait(link)

    async def _take(self) -> Link:
        try:
            async with asyncio.timeout(self._timeout):
                link = await self._idle.get()
        except TimeoutError as exc:
            raise _unavailable("all connections to the store are busy", Outcome.NOT_SENT) from exc
        if self._closed:
            self._idle.put_nowait(link)
            raise UnavailableError("the store is closed", outcome=Outcome.NOT_SENT)
        return link

    async def close(self, *, patience_seconds: float) -> None:
        """Lend no more, wait for the links that are lent at most so long, and close all."""
        self._closed = True
        try:
            async with asyncio.timeout(patience_seconds):
                returned = [await self._idle.get() for _ in self._links]
        except TimeoutError:
            log.warning("closing connections that are in use")
        else:
            for link in returned:
                self._idle.put_nowait(link)
        for link in self._links:
            await link.close()
