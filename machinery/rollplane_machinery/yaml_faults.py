"""What PyYAML complains of, in one line: its own words show the place in three, of which none tells it all."""

from __future__ import annotations

import yaml


def yaml_fault(error: Exception) -> str:
    """Return what is wrong with a document and in which line of it, counted from 1, where that is known."""
    if isinstance(error, yaml.reader.ReaderError):
        return str(error.reason)
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    mark = error.problem_mark or error.context_mark
    words = " ".join(part for part in (error.context, error.problem) if part)
    return f"line {mark.line + 1}: {words}" if mark else words
