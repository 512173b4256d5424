"""A proxy between a store and its server that can lose answers, as a failing network does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

CHUNK = 64 * 1024


class Proxy:
    """Passes bytes both ways until told to lose what the server answers from then on."""

    def __init__(self, server_path: Path, path: Path) -> None:
        self.url = f"unix://{path}"
        self._server_path = server_path
        self._path = path
        self._losing = False
        self._cut = asyncio.Event()
        self._connections: dict[asyncio.Task[None], None] = {}
        self._lost = asyncio.Event()

    def lose_answers(self, *, cut: bool) -> None:
        """Swallow every answer from now on; ``cut`` also breaks the connection as soon as one was swallowed."""
        self._losing = True
        self._lost.clear()
        if cut:
            self._cut.set()

    async def lost(self) -> None:
        """Wait until an answer was swallowed, so the server has carried out what it was sent."""
        await self._lost.wait()

    def heal(self) -> None:
        """Pass answers again on new connections, and break the old ones."""
        self._losing = False
        self._cut.clear()
        for connection in tuple(self._connections):
            connection.cancel()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Proxy]:
        """Listen while the context is open."""
        server = await asyncio.start_unix_server(self._accept, self._path)
        try:
            yield self
        finally:
            server.close()
            connections = tuple(self._connections)
            for connection in connections:
                connection.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = None
        to_reader, to_writer = await asyncio.open_unix_connection(self._server_path)
        try:
            async with asyncio.TaskGroup() as tasks:
                up = tasks.create_task(self._pass_requests(reader, to_writer))
                down = tasks.create_task(self._pass_answers(to_reader, writer))
                await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                up.cancel()
                down.cancel()
        except* OSError:
            pass  # either side has gone, as in life
        except* asyncio.CancelledError:
            pass
        finally:
            del self._connections[task]
            for stream in (writer, to_writer):
                stream.close()

    async def _pass_requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()

    async def _pass_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK):
            if self._losing:
                self._lost.set()
                if self._cut.is_set():
                    return
                continue
            writer.write(chunk)
            await writer.drain()
