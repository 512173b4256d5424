"""Ready tells of what a process depends on, and SIGTERM ends one whose apiserver is away."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.apiserver.rpc.process import running
from tests.service.workers import CONTROLLER, FLEET, WAIT_SECONDS, worker

NOTICE_SECONDS = 30.0
"""Within these a process must have noticed that its apiserver is away, on a machine that does much else."""

WORKERS = {"controller": CONTROLLER, "kubelet_sim": FLEET}


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
        found.process.terminate()
        async with asyncio.timeout(WAIT_SECONDS):
            # What does not end by itself within the grace period is abandoned, and ends with 1.
            assert await found.process.wait() == 0


async def test_ready_again_when_the_apiserver_is_back() -> None:
    async with running() as apiserver, worker(apiserver.address, *WORKERS["controller"]) as found:
        await found.until_ready(ready=True, seconds=WAIT_SECONDS)
        os.kill(apiserver.process.pid, signal.SIGSTOP)
        await found.until_ready(ready=False, seconds=NOTICE_SECONDS)
        os.kill(apiserver.process.pid, signal.SIGCONT)
        await found.until_ready(ready=True, seconds=WAIT_SECONDS)
