"""Regular expressions as Kubernetes reads them: RE2's syntax, and time in proportion to the text whatever the pattern.

Source of the sentences: Go's regexp/syntax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import re2

_REMEMBERED = 4096
_GO = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


class PatternError(ValueError):
    """The text is no regular expression; says why as Go does."""


@lru_cache(_REMEMBERED)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a text holds ``pattern`` anywhere; raises PatternError for what is none."""
    search: Callable[[bytes], object] = _compiled(pattern).search
    return lambda text: search(text.encode(errors="replace")) is not None


@lru_cache(_REMEMBERED)
def finder(pattern: str) -> Callable[[str, int], list[str]]:
    """Return what finds the parts of a text that match, as many as wanted, all for a negative count.

    Raises PatternError for what is no pattern.
    """
    find: Callable[[str], Iterator[Any]] = _compiled(pattern).finditer

    def found(text: str, count: int) -> list[str]:
        matches = find(text) if count < 0 else islice(find(text), count)
        return [match.group() for match in matches]

    return found


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(f"error parsing regexp: {_as_go(error)}") from error


def _as_go(error: Exception) -> str:
    said = error.args[0]
    text = said.decode() if isinstance(said, bytes) else str(said)
    what, colon, where = text.partition(": ")
    return f"{_GO.get(what, what)}: `{where}`" if colon else _GO.get(what, what)
