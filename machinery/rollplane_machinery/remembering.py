"""Memories that are bounded: of pure functions, and of what repeats from object to object.

Those of functions are bounded by bytes, since whoever sends large values must not fill them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import TypeVar

T = TypeVar("T")


@lru_cache(maxsize=32_768)
def same(text: str) -> str:
    """Return ``text``, or what was given before and is equal to it.

    Every read of a message's field makes a text anew. Names of namespaces and nodes, uids of owners, phases and images
    are a handful for thousands of pods.
    """
    return text


@lru_cache(maxsize=8_192)
def same_texts(*texts: str) -> tuple[str, ...]:
    """Return ``texts``, the same tuple as for equal ones before."""
    return texts


def same_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is equal to ``labels``, the same for all that are alike, which nobody may change."""
    return _dictionary(tuple(labels.items()))


@lru_cache(maxsize=8_192)
def _dictionary(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(items)


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
