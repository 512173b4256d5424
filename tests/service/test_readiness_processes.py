"""Ready tells of what a process depends on, and SIGTERM ends one whose apiserver is away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.apiserver.rpc.process import running

WAIT_SECONDS = 30.0
NOTICE_SECONDS = 8.0
"""Within these a process must have noticed that its apiserver is away, on a machine that does much else."""
END_SECONDS = 2.0

WORKERS = {
    "controller": ("rollplane_controller",),
    "kubelet_sim": ("rollplane_kubelet_sim", "--nodes", "2", "--profile", "instant"),
}


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


@pytest.mark.parametrize("command", WORKERS.values(), ids=WORKERS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_without_its_apiserver_it_is_not_ready_and_ends_at_once(
    command: tuple[str, ...], number: signal.Signals
) -> None:
    async with running() as apiserver, worker(apiserver.address, *command) as found:
        await found.until_ready(ready=True, seconds=WAIT_SECONDS)
        os.kill(apiserver.process.pid, number)
        body = await found.until_ready(ready=False, seconds=NOTICE_SECONDS)
        assert "[-]apiserver failed: the apiserver does not answer" in body
        started = time.monotonic()
        found.process.terminate()
        async with asyncio.timeout(WAIT_SECONDS):
            code = await found.process.wait()
        assert (code, time.monotonic() - started < END_SECONDS) == (0, True)


async def test_ready_again_when_the_apiserver_is_back() -> None:
    async with running() as apiserver, worker(apiserver.address, *WORKERS["controller"]) as found:
        await found.until_ready(ready=True, seconds=WAIT_SECONDS)
        os.kill(apiserver.process.pid, signal.SIGSTOP)
        await found.until_ready(ready=False, seconds=NOTICE_SECONDS)
        os.kill(apiserver.process.pid, signal.SIGCONT)
        await found.until_ready(ready=True, seconds=WAIT_SECONDS)
