"""How much is worked on at once; what comes on top is sent away at once instead of waiting in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rollplane_machinery.errors import Outcome, TooManyRequestsError, UnavailableError


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server: calls and their bytes in progress, open streams (aside: health, reflection), and seconds.

    ``call_seconds`` ends a call whose client set no deadline or a later one. ``retry_after_seconds`` is what a client
    is told that was sent away or met a store that is gone.
    """

    calls: int = 1024
    call_bytes: int = 128 * 1024 * 1024
    streams: int = 4096
    side_streams: int = 256
    call_seconds: float = 60.0
    retry_after_seconds: float = 0.5


class Admission:
    """Counts what is in progress against ``Limits``; closed, it lets nothing more in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._closed = False
        self._idle = asyncio.Event()
        self.calls = 0
        self.call_bytes = 0
        self.streams = 0
        self.side_streams = 0
        self.turned_away = 0  # since it was closed

    @contextmanager
    def call(self, size: int) -> Iterator[None]:
        """Hold a place for a call of ``size`` bytes.

        Raises TooManyRequestsError when there is none, UnavailableError when closed. A call that is alone gets in
        whatever its size.
        """
        self._check_open()
        if self.calls >= self._limits.calls or (self.calls and self.call_bytes + size > self._limits.call_bytes):
            raise self._refusal(f"{self.calls} calls of {self.call_bytes} bytes are in progress")
        self.calls += 1
        self.call_bytes += size
        try:
            yield
        finally:
            self.calls -= 1
            self.call_bytes -= size
            self._note_idle()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Hold a place for a stream; raises as ``call`` does."""
        self._check_open()
        if self.streams >= self._limits.streams:
            raise self._refusal(f"{self.streams} streams are open")
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1
            self._note_idle()

    @contextmanager
    def side_stream(self) -> Iterator[None]:
        """Hold a place for a stream of health or reflection, which goes on through a drain.

        They have a bound of their own, so that none of them can take a watch's place. Raises TooManyRequestsError.
        """
        if self.side_streams >= self._limits.side_streams:
            raise self._refusal(f"{self.side_streams} streams of health and reflection are open")
        self.side_streams += 1
        try:
            yield
        finally:
            self.side_streams -= 1

    def close(self) -> None:
        """Let nothing more in."""
        self._closed = True
        self._note_idle()

    async def idle(self) -> None:
        """Wait until ``close`` was called and everything in progress has ended."""
        await self._idle.wait()

    def _note_idle(self) -> None:
        if self._closed and not self.calls and not self.streams:
            self._idle.set()

    def _check_open(self) -> None:
        if self._closed:
            self.turned_away += 1
            raise UnavailableError("the server is going away", outcome=Outcome.NOT_SENT)

    def _refusal(self, why: str) -> TooManyRequestsError:
        return TooManyRequestsError(
            f"the server is busy: {why}",
            outcome=Outcome.NOT_SENT,
            retry_after_seconds=self._limits.retry_after_seconds,
        )
