"""Connections as aiohttp keeps them, with what it leaves open: how many, and what is told when a request is no HTTP."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from rollplane_gateway.statuses import RefusedError, reply_of
from rollplane_machinery.errors import Reason

log = logging.getLogger(__name__)

_NEAR, _FEWER = 0.8, 0.6
"""Shares of the connections there may be."""


class Connection(RequestHandler):
    """One client's connection, cut off when the head of a request takes longer than ``head_seconds`` to come."""

    def __init__(self, manager: web.Server, *, head_seconds: float, **options: Any) -> None:
        super().__init__(manager, **options)
        self._head_seconds = head_seconds
        self._head_deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._awaits_head:
            self._stop_deadline()
        elif data and self._head_deadline is None:
            self._head_deadline = asyncio.get_running_loop().call_later(self._head_seconds, self._cut_off)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    @property
    def _awaits_head(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _stop_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _cut_off(self) -> None:
        if self._awaits_head:
            self.force_close()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read with a Status, and close."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun") from exc
        log.debug("a request could not be read", extra={"status": status, "cause": repr(exc)})
        reply = reply_of(_told(exc))
        response = web.Response(body=reply.body, status=reply.status, headers={"Content-Type": reply.content_type})
        response.force_close()
        return response


def _told(error: BaseException | None) -> Exception:
    """Return in our own words what is wrong with a request's head; anything else is a defect."""
    if isinstance(error, LineTooLong):
        code = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return RefusedError(code, Reason.BAD_REQUEST, "a line of the request's head is too long")
    if isinstance(error, HttpProcessingError):
        return RefusedError(HTTPStatus.BAD_REQUEST, Reason.BAD_REQUEST, "the request cannot be read: it is malformed")
    return error if isinstance(error, Exception) else RuntimeError("a request failed for no reason given")


class ConnectionServer(web.Server):
    """Makes connections, up to ``most``; those above are closed at once, since each holds a descriptor."""

    def __init__(self, handler: Any, *, most: int, head_seconds: float, **options: Any) -> None:
        super().__init__(handler, **options)
        self._head_seconds = head_seconds
        self._options = options
        self._most = most
        self._is_near = False

    def __call__(self) -> RequestHandler:
        known = ("request_factory", "handler_cancellation", "loop")
        options = {name: value for name, value in self._options.items() if name not in known}
        return Connection(self, head_seconds=self._head_seconds, loop=asyncio.get_running_loop(), **options)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._tell_when_near()
        if len(self._connections) > self._most:
            transport.abort()

    def _tell_when_near(self) -> None:
        """Log when most connections are in use, once until they are fewer again."""
        share = len(self._connections) / self._most
        if share >= _NEAR and not self._is_near:
            log.warning("most connections are in use", extra={"open": len(self._connections), "most": self._most})
        self._is_near = share >= _NEAR if not self._is_near else share >= _FEWER
