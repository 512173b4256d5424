"""Words of others within Markdown."""

from __future__ import annotations


def plain(words: str) -> str:
    """Return ``words`` so that none of them becomes markup."""
    return "".join(f"\\{each}" if each in "\\`*_<>[]#|" else each for each in words.replace("\n", " "))
