"""What is answered: a whole body, or a stream of pieces that goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import MappingProxyType

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


def _no_headers() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. ``warnings`` go out as ``Warning: 299`` headers, which kubectl prints."""

    body: bytes
    content_type: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that is sent piece by piece, each flushed.

    ``pieces`` is entered before anything is sent, so that what it raises then is answered as a Status; leaving it ends
    whatever feeds it. What the iterator raises later cuts the answer off.
    """

    pieces: AbstractAsyncContextManager[AsyncIterator[bytes]]
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    warnings: tuple[str, ...] = ()


Answer = Reply | Stream
