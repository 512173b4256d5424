"""A controller or a fleet as a process of its own, that works against an apiserver."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

WAIT_SECONDS = 60.0

CONTROLLER = ("rollplane_controller",)
FLEET = ("rollplane_kubelet_sim", "--nodes", "2", "--profile", "instant")


@dataclass
class Worker:
    process: asyncio.subprocess.Process
    metrics: str

    async def readyz(self) -> tuple[int, str]:
        host, port = self.metrics.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /readyz HTTP/1.1\r\n\r\n")
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return int(head.split()[1]), body

    async def until_ready(self, *, ready: bool, seconds: float) -> str:
        """Wait until /readyz says so, and return its words."""
        async with asyncio.timeout(seconds):
            while True:
                status, body = await self.readyz()
                if (status == 200) is ready:
                    return body
                await asyncio.sleep(0.05)


@asynccontextmanager
async def worker(server: str, *command: str) -> AsyncIterator[Worker]:
    flags = ("--server", server, "--health-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command, *flags), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready "), line
        yield Worker(process, dict(word.split("=", 1) for word in line.split()[1:])["metrics"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
