"""A real apiserver process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any


@dataclass
class Process:
    """A started apiserver, serving at ``address``."""

    process: asyncio.subprocess.Process
    address: str
    metrics: str

    async def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Wait for the end; return the exit code and the log lines."""
        assert self.process.stderr is not None
        lines = (await self.process.stderr.read()).decode().splitlines()
        return await self.process.wait(), [json.loads(line) for line in lines]


async def spawn(*arguments: str) -> asyncio.subprocess.Process:
    """Start an apiserver with ``arguments``; it may not get ready."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rollplane_apiserver",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(*arguments: str, redis: str = "memory://") -> AsyncIterator[Process]:
    """Run an apiserver on free ports until the context is left."""
    ports = ("--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
    process = await spawn(*ports, "--redis", redis, *arguments)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            ready = (await process.stdout.readline()).decode().split()
        assert ready[:1] == ["ready"], ready
        fields = dict(word.split("=", 1) for word in ready[1:])
        yield Process(process, fields["listen"], fields["metrics"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
