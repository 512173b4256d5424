"""Loops that run beside something else, and end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def running(*loops: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run ``loops`` while the context is open; one that fails ends the body, and its error leaves as a group."""
    async with asyncio.TaskGroup() as tasks:
        started = [tasks.create_task(loop()) for loop in loops]
        try:
            yield
        finally:
            for task in started:
                task.cancel()
