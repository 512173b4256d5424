"""A TCP proxy that loses answers: requests go through, what comes back does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Forwards connections to ``upstream`` (``host:port``)."""

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._writers: set[asyncio.StreamWriter] = set()
        self._swallowing = False
        self.address = ""

    def swallow_answers(self) -> None:
        """Let requests through from now on, and drop every byte that comes back."""
        self._swallowing = True

    def cut(self) -> None:
        """Break all connections; new ones work as they should."""
        self._swallowing = False
        for writer in list(self._writers):
            writer.transport.abort()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        upstream_reader, upstream_writer = await asyncio.open_connection(*self._upstream)
        both = (writer, upstream_writer)
        self._writers.update(both)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, upstream_writer, answers=False))
                tasks.create_task(self._pump(upstream_reader, writer, answers=True))
        finally:
            self._writers.difference_update(both)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        try:
            while data := await reader.read(65536):
                if not (answers and self._swallowing):
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            pass  # the other side is gone, so this one goes as well
        finally:
            writer.transport.abort()


@asynccontextmanager
async def running_proxy(upstream: str) -> AsyncIterator[Proxy]:
    """Run a proxy for as long as the context lasts."""
    proxy = Proxy(upstream)
    server = await asyncio.start_server(proxy.meet, "127.0.0.1", 0)
    proxy.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
