"""The health check of containers: one process asks another's grpc.health.v1."""

from __future__ import annotations

import asyncio

import pytest

from rollplane_machinery.clock import SystemClock
from rollplane_service.health import Health
from rollplane_service.ports import health_port
from rollplane_service.probe import run


async def test_probe_tells_alive_from_ready(capsys: pytest.CaptureFixture[str]) -> None:
    health = Health()
    async with health_port("127.0.0.1:0", health, SystemClock()) as address:
        assert await asyncio.to_thread(run, [address]) == 0
        assert await asyncio.to_thread(run, [address, "--ready"]) == 1
        assert capsys.readouterr().err == f"{address}: NOT_SERVING\n"
        health.started = True
        assert await asyncio.to_thread(run, [address, "--ready"]) == 0
        assert capsys.readouterr().err == ""
        health.draining = True
        assert await asyncio.to_thread(run, [address]) == 1


async def test_probe_fails_where_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    async with health_port("127.0.0.1:0", Health(), SystemClock()) as address:
        gone = address
    assert await asyncio.to_thread(run, [gone]) == 1
    assert capsys.readouterr().err.startswith(f"{gone}: ")


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_probe_wants_one_address(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run(arguments)
    assert caught.value.code == 2


async def test_a_taken_health_port_is_told() -> None:
    async with health_port("127.0.0.1:0", Health(), SystemClock()) as address:
        with pytest.raises(OSError, match=f"cannot listen on {address}"):
            async with health_port(address, Health(), SystemClock()):
                pass
