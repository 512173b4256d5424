"""The gateway as a process of its own, over gRPC: alive, ready, drained, and its writes made once."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from tests.apiserver.rpc.process import running
from tests.gateway.serving import CONFIG_MAPS, config_map

START_SECONDS = 30.0
NOTICE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A started gateway, serving at ``url``."""

    process: asyncio.subprocess.Process
    url: str


@asynccontextmanager
async def gateway(server: str) -> AsyncIterator[Gateway]:
    listens = ("--rest-listen", "127.0.0.1:0", "--health-listen", "127.0.0.1:0")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollplane_gateway", "--server", server, *listens),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            ready = (await process.stdout.readline()).decode().split()
        fields = dict(word.split("=", 1) for word in ready[1:])
        yield Gateway(process, f"http://{fields['rest']}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_ready(session: aiohttp.ClientSession, url: str, *, ready: bool) -> None:
    async with asyncio.timeout(NOTICE_SECONDS):
        while True:
            async with session.get(f"{url}/readyz") as got:
                if (got.status == 200) is ready:
                    return
            await asyncio.sleep(0.05)


async def test_a_gateway_over_grpc() -> None:
    async with (
        running() as apiserver,
        gateway(apiserver.address) as served,
        aiohttp.ClientSession(served.url) as session,
    ):
        await until_ready(session, served.url, ready=True)
        async with session.post(CONFIG_MAPS, json=config_map("a", key="value")) as got:
            assert got.status == 201
            made = await got.json()
        async with session.get(f"{CONFIG_MAPS}?watch=true&resourceVersion=0") as watch:
            first = json.loads(await watch.content.readline())
            assert (first["type"], first["object"]["metadata"]["uid"]) == ("ADDED", made["metadata"]["uid"])
            served.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(NOTICE_SECONDS):
                await watch.content.read()  # ends, and is not cut off
        async with asyncio.timeout(NOTICE_SECONDS):
            assert await served.process.wait() == 0


async def test_a_gateway_whose_apiserver_is_away_says_so() -> None:
    async with (
        running() as apiserver,
        gateway(apiserver.address) as served,
        aiohttp.ClientSession(served.url) as session,
    ):
        await until_ready(session, served.url, ready=True)
        apiserver.process.kill()
        await until_ready(session, served.url, ready=False)
        async with session.get(f"{served.url}/livez") as got:
            assert got.status == 200
