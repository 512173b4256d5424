"""Connections as aiohttp keeps them, with what it leaves open: how many, and what is told when a request is no HTTP."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from rollplane_gateway.statuses import RefusedError, reply_of
from rollplane_machinery.errors import Reason

log = logging.getLogger(__name__)

_SHOWN_CHARACTERS = 200
_NEAR, _FEWER = 0.8, 0.6
"""Shares of the connections there may be."""


class Connection(RequestHandler):
    """One client's connection."""

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what aiohttp could not read with a Status, and close."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun") from exc
        log.debug("a request could not be read", extra={"status": status, "cause": repr(exc)})
        reason = Reason.INTERNAL_ERROR if status >= 500 else Reason.BAD_REQUEST
        what = (message or "").partition("\n")[0].strip() or "it is malformed"
        reply = reply_of(RefusedError(status, reason, f"the request cannot be read: {what[:_SHOWN_CHARACTERS]}"))
        response = web.Response(body=reply.body, status=status, headers={"Content-Type": reply.content_type})
        response.force_close()
        return response


class ConnectionServer(web.Server):
    """Makes connections, up to ``most``; those above are closed at once, since each holds a descriptor."""

    def __init__(self, handler: Any, *, most: int, **options: Any) -> None:
        super().__init__(handler, **options)
        self._options = options
        self._most = most
        self._is_near = False

    def __call__(self) -> RequestHandler:
        known = ("request_factory", "handler_cancellation", "loop")
        options = {name: value for name, value in self._options.items() if name not in known}
        return Connection(self, loop=asyncio.get_running_loop(), **options)

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
