"""A loop whose time is stepped: it leaps, stands still, runs as fast as wanted, and never past what is due."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable

import pytest

from rollplane_testing.paced_loop import PacedLoop, paced_loop


def paced(main: Callable[[PacedLoop], Awaitable[None]], speed: float = 1.0) -> float:
    """Run ``main`` in such a loop and return how long that took, in real seconds."""

    async def run() -> None:
        await main(paced_loop())

    began = time.monotonic()
    with asyncio.Runner(loop_factory=lambda: PacedLoop(speed)) as runner:
        runner.run(run())
    return time.monotonic() - began


def test_time_leaps_from_timer_to_timer() -> None:
    async def main(loop: PacedLoop) -> None:
        woken: list[float] = []
        for at in (7200.0, 1.5, 86_400.0):
            loop.call_later(at, lambda: woken.append(loop.time()))
        await loop.advance(10_000.0)
        assert woken == [1.5, 7200.0]
        assert loop.time() == 10_000.0

    assert paced(main, speed=0.0) < 30


def test_time_runs_as_fast_as_wanted() -> None:
    async def main(loop: PacedLoop) -> None:
        await asyncio.sleep(50.0)
        assert loop.time() == pytest.approx(50.0)

    assert 0.1 <= paced(main, speed=500.0) < 30


def test_a_busy_loop_catches_up_timer_by_timer() -> None:
    """Whoever renews a lease each second is heard each second, whatever the machine did meanwhile."""

    async def main(loop: PacedLoop) -> None:
        beats: list[float] = []

        async def beat() -> None:
            while len(beats) < 20:
                await asyncio.sleep(1.0)
                beats.append(loop.time())

        beating = asyncio.get_running_loop().create_task(beat())
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline:
            pass
        await beating
        assert beats == pytest.approx([float(number) for number in range(1, 21)])

    paced(main, speed=100.0)


def test_time_that_is_held_moves_only_by_steps_while_sockets_are_served() -> None:
    async def main(loop: PacedLoop) -> None:
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            soon = asyncio.create_task(asyncio.sleep(0.001))
            loop.call_soon(there.send, b"x")
            assert await loop.sock_recv(here, 1) == b"x"
            assert (loop.time(), soon.done()) == (0.0, False)
            await loop.advance(1.0)
            assert (loop.time(), soon.done()) == (1.0, True)

    paced(main, speed=0.0)


def test_time_cannot_go_back_and_other_loops_cannot_be_stepped() -> None:
    loop = PacedLoop()
    try:
        with pytest.raises(ValueError, match="want 0 or more"):
            loop.speed = -1.0
    finally:
        loop.close()


async def test_a_loop_of_real_time_is_refused() -> None:
    with pytest.raises(RuntimeError, match="cannot be stepped"):
        paced_loop()
