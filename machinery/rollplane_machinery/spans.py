"""Spans of time as files write them: ``90s``, ``5m``, or a number of seconds; and the shape of that."""

from __future__ import annotations

from rollplane_machinery.codec.time_text import parse_duration
from rollplane_machinery.strict_reading import Json

EXACT = "(?:0|(?:(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)"
MOST_SECONDS = 1e9
DURATION: Json = {
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": MOST_SECONDS},
        {"type": "string", "pattern": f"^{EXACT}$"},
    ]
}
"""The shape of what ``seconds_of`` reads."""


def seconds_of(text: object) -> float:
    """Return the seconds of ``90s``, ``5m`` or a bare number; raises ValueError."""
    number = isinstance(text, int | float) and not isinstance(text, bool)
    seconds = float(str(text)) if number else parse_duration(str(text)) / 1e9
    if not 0 <= seconds < MOST_SECONDS:
        raise ValueError("not a duration")
    return seconds
