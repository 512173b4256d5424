"""The health check of containers: one process asks another's grpc.health.v1."""

from __future__ import annotations

import asyncio

import pytest

from rollplane_service.probe import run
from rollplane_service.process import HealthPort


async def test_probe_tells_serving_from_not_serving(capsys: pytest.CaptureFixture[str]) -> None:
    health = HealthPort()
    async with health.listen("127.0.0.1:0") as address:
        assert await asyncio.to_thread(run, [address]) == 1
        assert capsys.readouterr().err == f"{address}: NOT_SERVING\n"
        await health.set_serving(serving=True)
        assert await asyncio.to_thread(run, [address]) == 0
        assert capsys.readouterr().err == ""


async def test_probe_fails_where_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    async with HealthPort().listen("127.0.0.1:0") as address:
        gone = address
    assert await asyncio.to_thread(run, [gone]) == 1
    assert capsys.readouterr().err.startswith(f"{gone}: ")


@pytest.mark.parametrize("arguments", [[], ["a", "b"]])
def test_probe_wants_one_address(arguments: list[str]) -> None:
    assert run(arguments) == 2
