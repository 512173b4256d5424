"""What a client sent, shown to it in an error: no longer than it takes to find it."""

from __future__ import annotations

MAX_SHOWN = 100
"""Characters of one text."""


def cut(text: str) -> str:
    """Return ``text``, or its beginning and an ellipsis where it is longer than ``MAX_SHOWN``."""
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
