"""The port that operators ask: ``/metrics``, ``/livez`` and ``/readyz`` over plain HTTP, on the service's loop.

prometheus-client's own server runs in a thread; here the gauges read state that belongs to the loop. Paths and answers
are those of Kubernetes' components (``/healthz`` is the old name of ``/livez``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from rollplane_service.health import Health

_READ_SECONDS = 5.0
_HEAD_BYTES = 16 * 1024
_PLAIN = "text/plain; charset=utf-8"


@asynccontextmanager
async def serve_http(registry: CollectorRegistry, health: Health, host: str, port: int) -> AsyncIterator[int]:
    """Serve within the context; yields the port (that of ``port`` 0 is the system's choice).

    Raises OSError when the port cannot be had.
    """

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(registry, health, head.split(b"\r\n", 1)[0]))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return  # not a request, and nobody to tell
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, host, port, limit=_HEAD_BYTES)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _answer(registry: CollectorRegistry, health: Health, request_line: bytes) -> bytes:
    method, _, rest = request_line.partition(b" ")
    path = rest.partition(b" ")[0].partition(b"?")[0]
    if method == b"GET" and path == b"/metrics":
        return _response("200 OK", CONTENT_TYPE_LATEST, generate_latest(registry))
    if method == b"GET" and path in (b"/livez", b"/healthz"):
        return _response("200 OK", _PLAIN, b"ok\n")
    if method == b"GET" and path == b"/readyz":
        status = "200 OK" if health.is_ready else "503 Service Unavailable"
        return _response(status, _PLAIN, readiness_text(health).encode())
    return _response("404 Not Found", _PLAIN, b"")


def readiness_text(health: Health) -> str:
    """Return a line for each check and note, ``[+]store ok``, ``[-]store failed: why`` or ``[!]store-memory: what``."""
    checks = (
        f"[-]{name} failed: {trouble}\n" if trouble else f"[+]{name} ok\n"
        for name, trouble in health.findings().items()
    )
    notes = (f"[!]{name}: {told}\n" if told else f"[+]{name} ok\n" for name, told in health.notes().items())
    return "".join((*checks, *notes))


def _response(status: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
