"""A proxy between two processes, which can cut, stall, delay and lose what it passes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

HOST = "127.0.0.1"
CHUNK = 64 * 1024


class FaultProxy:
    """Passes connections to ``port`` on to the port ``target`` of this machine; nobody else's traffic is touched.

    ``delay_seconds`` holds back every chunk, both ways. While ``loses_answers`` nothing comes back from the target,
    though what is asked gets there; a connection that lost something is cut afterwards, for its stream has a hole.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.delay_seconds = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._losing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._damaged: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """Listen on ``port`` (chosen the first time) while the context is open."""
        server = await asyncio.start_server(self._connected, HOST, self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            self.cut()

    def cut(self) -> int:
        """End all connections at once; return how many there were."""
        for task in self._tasks:
            task.cancel()
        return len(self._tasks)

    def stall(self) -> None:
        """Pass nothing on, and tell nobody: connections stay open."""
        self._flowing.clear()

    def flow(self) -> None:
        """End a stall."""
        self._flowing.set()

    def lose_answers(self) -> None:
        """From now on let nothing come back."""
        self._losing = True

    def keep_answers(self) -> None:
        """End the losses, and with them the connections that lost something."""
        self._losing = False
        for task in self._damaged:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._tasks.add(task)
        try:
            await self._pass_on(task, reader, writer)
        except asyncio.CancelledError:
            return  # cut: that is what we are here for
        finally:
            self._tasks.discard(task)
            self._damaged.discard(task)
            writer.transport.abort()

    async def _pass_on(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            back, forth = await asyncio.open_connection(HOST, self.target)
        except OSError:
            return
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._copy(reader, forth))
                ways.create_task(self._copy(back, writer, losing_to=task))
        except* (OSError, EOFError):
            pass  # one side has gone, so the other goes too
        finally:
            forth.transport.abort()

    async def _copy(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, losing_to: asyncio.Task[None] | None = None
    ) -> None:
        while chunk := await source.read(CHUNK):
            await self._flowing.wait()
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            if losing_to is not None and self._losing:
                self._damaged.add(losing_to)
                continue
            sink.write(chunk)
            await sink.drain()
        raise EOFError


@asynccontextmanager
async def serving(*proxies: FaultProxy) -> AsyncIterator[None]:
    """Serve all of ``proxies`` while the context is open."""
    if not proxies:
        yield
        return
    async with proxies[0].serve(), serving(*proxies[1:]):
        yield


def free_ports(count: int) -> list[int]:
    """Return ports nobody listens on now."""
    import socket

    sockets = [socket.socket() for _ in range(count)]
    with suppress(OSError):
        for one in sockets:
            one.bind((HOST, 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
