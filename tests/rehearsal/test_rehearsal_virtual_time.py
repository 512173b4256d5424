"""A loop in virtual time: waiting costs nothing, and waiting for nothing is told."""

from __future__ import annotations

import asyncio
import time

import pytest

from rollplane_rehearsal import Plane, VirtualTimeLoop, in_virtual_time, run
from rollplane_rehearsal.virtual_time import START, LoopClock


async def _wait(seconds: float, woken: list[float]) -> float:
    await asyncio.sleep(seconds)
    woken.append(asyncio.get_running_loop().time())
    return seconds


@in_virtual_time
async def test_time_passes_in_the_order_of_timers() -> None:
    woken: list[float] = []
    began = time.monotonic()
    await asyncio.gather(_wait(86_400.0, woken), _wait(0.5, woken))
    assert woken == [0.5, 86_400.0]
    assert time.monotonic() - began < 60
    assert LoopClock().now() == START + 86_400.0


def test_run_returns_what_its_coroutine_returns() -> None:
    assert run(_wait(7.0, [])) == 7.0


def test_everybody_waiting_for_somebody_else_is_told() -> None:
    with pytest.raises(RuntimeError, match="everybody waits"):
        run(asyncio.Event().wait())


def test_a_virtual_loop_of_somebody_elses_will_do() -> None:
    async def lived() -> float:
        async with Plane(nodes=1) as plane:
            await plane.advance(5.0)
            return plane.seconds

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(lived()) == 5.0


async def test_a_plane_refuses_a_loop_of_real_time() -> None:
    with pytest.raises(RuntimeError, match="virtual time"):
        await Plane().__aenter__()
