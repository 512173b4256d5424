"""Memories of pure functions that are bounded by bytes, since whoever sends large values must not fill them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")


def remembered(entries: int, largest_bytes: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator that remembers the last ``entries`` results of a function of texts or bytes.

    What is longer than ``largest_bytes``, all arguments together, is computed anew each time. So a memory holds at most
    entries * largest_bytes of its arguments.
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        kept = lru_cache(maxsize=entries)(function)

        @wraps(function)
        def ask(*arguments: bytes | str) -> T:
            return kept(*arguments) if sum(map(len, arguments)) <= largest_bytes else function(*arguments)

        return ask

    return decorate
