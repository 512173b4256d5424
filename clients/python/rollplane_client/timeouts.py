"""Deadlines by an injected clock, where ``asyncio.timeout`` would go by the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import TimedOutError

T = TypeVar("T")


async def within(clock: Clock, seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns, or raise what it raises.

    Raises TimedOutError when ``seconds`` pass first; ``work`` is then cancelled, as it is when this call is.
    """
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimedOutError(f"not done within {seconds:g} s")
        return task.result()
    finally:
        task.cancel()
        alarm.cancel()
