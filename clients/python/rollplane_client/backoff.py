"""How long to wait before trying again: exponential, capped, spread by an injected source of jitter."""

from __future__ import annotations

from collections.abc import Callable

from rollplane_machinery.frozen import frozen

Jitter = Callable[[], float]
"""Returns a number from 0 up to, not including, 1; ``random.Random(seed).random`` is one."""


def no_jitter() -> float:
    """Return 0: waits are then exactly as computed."""
    return 0.0


@frozen
class Backoff:
    """Waits of ``base_seconds * 2**failures``, at most ``cap_seconds``, stretched by up to ``spread``.

    ``spread`` is a fraction: with 0.2 a wait of 10 s becomes 10 s to 12 s, so that many clients that failed together
    do not return together.
    """

    base_seconds: float = 0.05
    cap_seconds: float = 5.0
    spread: float = 0.2

    def seconds(self, failures: int, jitter: Jitter = no_jitter) -> float:
        """Return how long to wait after ``failures`` earlier failures (0 after the first one)."""
        # 2**64 times any base is beyond any cap, and larger exponents would overflow a float.
        wait = min(self.base_seconds * 2.0 ** min(failures, 64), self.cap_seconds)
        return wait * (1.0 + self.spread * jitter())
