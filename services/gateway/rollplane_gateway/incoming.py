"""Requests as they come in: bounded in size and time, and turned into values."""

from __future__ import annotations

import asyncio

from aiohttp.web_request import BaseRequest

from rollplane_gateway.limits import Limits
from rollplane_gateway.requests import IMPERSONATE, Query, Request
from rollplane_machinery.errors import RequestTooLargeError, TimedOutError

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def announced_bytes(sent: BaseRequest, limits: Limits) -> int:
    """Return how large the body may become: what the head says, and where it does not, the limit."""
    if sent.body_exists and sent.content_length is None:
        return limits.body_bytes
    return min(sent.content_length or 0, limits.body_bytes)


async def read_request(sent: BaseRequest, path: str, query: Query, limits: Limits) -> Request:
    """Return the whole request; raises RequestTooLargeError or TimedOutError for too much a body, or too slow a one."""
    body = await _body(sent, limits) if sent.method in _WITH_BODY else b""
    headers = {name.lower(): value for name, value in sent.headers.items()}
    asked_as = tuple(each for each in sent.headers.items() if each[0].lower().startswith(IMPERSONATE))
    return Request(sent.method, path, query, headers, body, asked_as)


async def _body(sent: BaseRequest, limits: Limits) -> bytes:
    if (sent.content_length or 0) > limits.body_bytes:
        raise _too_large(limits)
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for piece in sent.content.iter_any():
                size += len(piece)
                if size > limits.body_bytes:
                    raise _too_large(limits)
                pieces.append(piece)
    except TimeoutError as exc:
        raise TimedOutError(f"the body did not arrive within {limits.body_seconds:g} s") from exc
    return b"".join(pieces)


def _too_large(limits: Limits) -> RequestTooLargeError:
    return RequestTooLargeError(f"Request entity too large: limit is {limits.body_bytes}")
