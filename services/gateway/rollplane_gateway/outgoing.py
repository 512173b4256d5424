"""Answers as they go out: whole or piece by piece, each only for as long as its reader takes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable

from aiohttp import web
from aiohttp.web_request import BaseRequest

from rollplane_gateway.limits import Limits
from rollplane_gateway.replies import Reply, Stream

log = logging.getLogger(__name__)


class Sender:
    """Sends answers. Every method raises ConnectionError for a reader that is too slow, or gone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._streams: set[asyncio.Timeout] = set()

    def end_streams(self) -> None:
        """End every stream as if all had been said."""
        now = asyncio.get_running_loop().time()
        for stream in self._streams:
            stream.reschedule(now)

    async def tell(self, sent: BaseRequest, reply: Reply) -> web.StreamResponse:
        """Send a whole answer."""
        response = _response(reply)
        try:
            async with asyncio.timeout(self._limits.write_seconds + len(reply.body) / self._limits.write_bytes):
                await response.prepare(sent)
                await response.write_eof()
        except TimeoutError as exc:
            raise ConnectionError("the reader is too slow") from exc
        return response

    async def stream(self, sent: BaseRequest, stream: Stream) -> web.StreamResponse:
        """Send pieces until there are no more, or ``end_streams``; raises what entering the stream raises."""
        async with stream.pieces as pieces:
            response = web.StreamResponse(headers={"Content-Type": stream.content_type, **stream.headers})
            _warn(response, stream.warnings)
            response.enable_chunked_encoding()
            await response.prepare(sent)
            await self._sent(response, pieces)
        await response.write_eof()
        return response

    async def _sent(self, response: web.StreamResponse, pieces: AsyncIterator[bytes]) -> None:
        """Send all pieces, or those until the drain; raises ConnectionError when something is wrong with the rest."""
        try:
            async with asyncio.timeout(None) as ending:
                self._streams.add(ending)
                try:
                    async for piece in pieces:
                        await self._write(response, piece)
                finally:
                    self._streams.discard(ending)
        except TimeoutError:
            if not ending.expired():
                raise
        except ConnectionError:
            raise
        except Exception as exc:
            log.exception("a stream was cut off by a defect")
            raise ConnectionError("the answer cannot go on") from exc

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        """Send ``piece``; raises ConnectionError when the reader does not take it for too long."""
        try:
            async with asyncio.timeout(self._limits.write_seconds):
                await response.write(piece)
        except TimeoutError as exc:
            raise ConnectionError("the reader is too slow") from exc


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status, headers=reply.headers)
    response.headers["Content-Type"] = reply.content_type
    _warn(response, reply.warnings)
    return response


def _warn(response: web.StreamResponse, warnings: Iterable[str]) -> None:
    """Add ``warnings`` as headers; what no header can say, for control characters in it, is left unsaid as upstream."""
    for text in map(_on_one_line, warnings):
        if text.isprintable():
            response.headers.add("Warning", f'299 - "{_quoted(text)}"')


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _quoted(text: str) -> str:
    """Return ``text`` as the inside of a quoted string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
