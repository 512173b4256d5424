"""Requests as they come in: bounded in size and time, and turned into values."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from aiohttp import HttpVersion11
from aiohttp.web_request import BaseRequest

from rollplane_gateway.limits import Limits
from rollplane_gateway.negotiation import unsupported_media_type
from rollplane_gateway.requests import IMPERSONATE, Query, Request
from rollplane_gateway.statuses import RefusedError
from rollplane_machinery.errors import Reason, RequestTooLargeError

_SHOWN = 100
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def announced_bytes(sent: BaseRequest, limits: Limits) -> int:
    """Return how large the body may become: what the head says, and where it does not, the limit."""
    if sent.body_exists and sent.content_length is None:
        return limits.body_bytes
    return min(sent.content_length or 0, limits.body_bytes)


async def read_request(sent: BaseRequest, path: str, query: Query, limits: Limits) -> Request:
    """Return the whole request; raises what refuses its body.

    That is RequestTooLargeError; RefusedError for one that is too slow (408) or compressed (415).
    """
    body = await _body(sent, limits) if sent.method in _WITH_BODY else b""
    headers = {name.lower(): value for name, value in sent.headers.items()}
    asked_as = tuple(each for each in sent.headers.items() if each[0].lower().startswith(IMPERSONATE))
    return Request(sent.method, path, query, headers, body, asked_as)


async def _body(sent: BaseRequest, limits: Limits) -> bytes:
    if (sent.content_length or 0) > limits.body_bytes:
        raise _too_large(limits)
    _check_encoding(sent.headers.get("Content-Encoding", ""))
    await _ask_for_body(sent)
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
        why = f"the body did not arrive within {limits.body_seconds:g} s"
        raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, Reason.TIMED_OUT, why) from exc
    return b"".join(pieces)


def _check_encoding(encoding: str) -> None:
    if encoding.strip().lower() not in ("", "identity"):
        raise unsupported_media_type(f"the body is encoded as {encoding[:_SHOWN]}, which is not read: send it plain")


async def _ask_for_body(sent: BaseRequest) -> None:
    """Tell a client to send the body where it waits to be told."""
    if sent.headers.get("Expect", "").lower() == "100-continue" and sent.version >= HttpVersion11:
        await sent.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        sent.writer.output_size = 0  # the answer has not begun


def _too_large(limits: Limits) -> RequestTooLargeError:
    return RequestTooLargeError(f"Request entity too large: limit is {limits.body_bytes}")
