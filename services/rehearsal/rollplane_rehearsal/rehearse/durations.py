"""Seconds, as verdicts and reports tell them."""

from __future__ import annotations

NEVER = "never"


def seconds_text(seconds: float | None) -> str:
    """Return ``0.4 s``, ``12 s``, ``3 min 05 s``, or ``never``."""
    if seconds is None:
        return NEVER
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"
