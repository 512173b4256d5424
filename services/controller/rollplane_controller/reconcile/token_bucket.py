"""When a client that throttles itself may send next, as arithmetic: no clock, no waiting."""

from __future__ import annotations

BURST_TO_RATE = 1.5
"""A stock kube-controller-manager sends 20 requests a second (--kube-api-qps) and 30 at once (--kube-api-burst)."""


class TokenBucket:
    """A bucket of ``burst`` tokens, full at first, into which ``qps`` tokens a second flow.

    Who takes a token that is not there yet has it promised, in the order of asking, and is told how long to wait.
    Raises ValueError unless ``qps`` > 0.
    Source: what golang.org/x/time/rate reserves, which client-go's flowcontrol wraps.
    """

    def __init__(self, qps: float) -> None:
        if not qps > 0:
            raise ValueError(f"qps is {qps}, want > 0")
        self.qps = qps
        self.burst = max(1.0, BURST_TO_RATE * qps)
        self._tokens = self.burst
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take one token and return the time, in the seconds of ``now``, from which on it may be used."""
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.qps) - 1
        self._at = now
        return now + max(0.0, -self._tokens / self.qps)
