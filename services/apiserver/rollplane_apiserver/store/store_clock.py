"""What a server's clock shows, as far as can be told from answers that carried its time."""

from __future__ import annotations

import math


class StoreClock:
    """The least that a server's clock may show, by the loop's time; all in seconds but where it says microseconds.

    An answer that was asked for at ``sent`` and read at ``answered`` was made between the two, so the server's clock is
    ahead of the loop's by at least its time less ``answered``, at most its time less ``sent``. The best bound is kept
    until an answer contradicts it: clocks drift, and are set.
    """

    def __init__(self) -> None:
        self._ahead = -math.inf

    def observe(self, sent: float, answered: float, server_microseconds: int) -> None:
        """Take in one answer."""
        time = server_microseconds / 1e6
        if time - answered > self._ahead or time - sent < self._ahead:
            self._ahead = time - answered

    def deadline(self, loop_time: float) -> int:
        """Return microseconds of the server's clock that it shows at ``loop_time`` or before; needs an answer."""
        return int((loop_time + self._ahead) * 1e6)
