"""Servers that replicate each other, as a failover sees them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rollplane_apiserver.store.server import ServerBinary
from rollplane_machinery.errors import UnavailableError

from .administering import command


class Node:
    """One server on loopback, which may be a master or a replica."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}"

    async def follow(self, master: Node) -> None:
        """Become a replica of ``master`` and wait until its data have come."""
        await command(self.url, b"REPLICAOF", b"127.0.0.1", b"%d" % master.port)
        await self._until("master_link_status:up")

    async def cut_off(self) -> None:
        """Become a replica of nobody that can be reached: what is known stays."""
        await command(self.url, b"REPLICAOF", b"127.0.0.1", b"1")
        await self._until("role:slave")

    async def promote(self) -> None:
        await command(self.url, b"REPLICAOF", b"NO", b"ONE")

    async def _until(self, fact: str) -> None:
        async with asyncio.timeout(20):
            while not await self._tells(fact):  # noqa: ASYNC110 - a server tells nobody of its role
                await asyncio.sleep(0.02)

    async def _tells(self, fact: str) -> bool:
        return fact in (await command(self.url, b"INFO", b"replication")).decode()


@asynccontextmanager
async def running_node(binary: ServerBinary, folder: Path) -> AsyncIterator[Node]:
    """Run a server of its own in ``folder``, which exists, while the context is open."""
    node = Node(_free_port())
    options = {"port": str(node.port), "bind": "127.0.0.1", "dir": str(folder), "save": ""}
    process = await asyncio.create_subprocess_exec(
        binary.path,
        *(word for name, value in options.items() for word in (f"--{name}", value)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_it_answers(node)
        yield node
    finally:
        process.kill()
        await process.wait()


async def _until_it_answers(node: Node) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await command(node.url, b"PING")
            except UnavailableError:
                await asyncio.sleep(0.02)
            else:
                return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
