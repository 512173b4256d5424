"""From a store's URL to connections.

A ``Dialer`` is all that the rest of the store knows of where Redis is. Sentinel and Cluster are further dialers: they
ask who is in charge now, and connect there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rollplane_machinery.errors import BadRequestError

Dialer = Callable[[], Awaitable[AbstractConnection]]
"""Opens a connection; raises redis' ConnectionError or TimeoutError, or OSError."""

READ_BYTES = 256 * 1024


def dialer(url: str, *, connect_timeout_seconds: float) -> Dialer:
    """Return a dialer for ``redis://``, ``rediss://`` or ``unix://``; raises BadRequestError for any other URL."""
    try:
        options: dict[str, Any] = dict(parse_url(url))
    except ValueError as exc:
        raise BadRequestError(f"store URL {url!r}: {exc}") from exc
    connection_class: type[AbstractConnection] = options.pop("connection_class", Connection)
    options |= {
        # Whoever sends a command decides whether it may be sent again: for a commit, never.
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": connect_timeout_seconds,
        "socket_timeout": None,  # every exchange has its own deadline
        "socket_read_size": READ_BYTES,
        "protocol": 2,
        "driver_info": None,
        "health_check_interval": 0,
    }

    async def dial() -> AbstractConnection:
        connection = connection_class(**options)
        await connection.connect()  # type: ignore[no-untyped-call]
        return connection

    return dial
