"""Waiting for a condition of the running plane, with a deadline and no guessed delays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Yield to the loop until ``holds()``; raises AssertionError with ``otherwise`` after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - there is no one event for "everything is quiet"
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(otherwise) from None
