"""Causes, and the paths they carry: a path is put together on the way out, from the field up to the object.

Every check takes a message and returns what is wrong with it, with paths relative to that message; whoever holds the
message puts its own name in front (``under``, ``each``). A good object therefore builds no path at all, and what a
check found can be remembered and used wherever the same message stands:

    >>> [cause.field for cause in under("spec", [required("image", "name one")])]
    ['spec.image']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rollplane_machinery.errors import Cause, CauseReason

Message = TypeVar("Message")

MAX_INT32 = 2**31 - 1


def invalid(field: str, value: object, fix: str) -> Cause:
    """``field`` holds ``value``, which breaks a rule; ``fix`` tells what to do. None shows no value."""
    shown = "" if value is None else f" value {_shown(value)}"
    return Cause(CauseReason.INVALID, field, f"invalid{shown}: {fix}")


def required(field: str, fix: str) -> Cause:
    """``field`` is missing."""
    return Cause(CauseReason.REQUIRED, field, f"required value: {fix}")


def forbidden(field: str, fix: str) -> Cause:
    """``field`` must not be there, or not change."""
    return Cause(CauseReason.FORBIDDEN, field, f"forbidden: {fix}")


def not_supported(field: str, value: object, supported: Iterable[str]) -> Cause:
    """``value`` is none of the words that ``field`` may hold."""
    words = ", ".join(sorted(supported))
    return Cause(CauseReason.NOT_SUPPORTED, field, f"unsupported value {_shown(value)}: choose one of {words}")


def duplicate(field: str, value: object) -> Cause:
    """``value`` stands there a second time."""
    return Cause(CauseReason.DUPLICATE, field, f"duplicate value {_shown(value)}: remove or change one of them")


def not_found(field: str, value: object, fix: str) -> Cause:
    """``field`` names something that does not exist."""
    return Cause(CauseReason.NOT_FOUND, field, f"not found {_shown(value)}: {fix}")


def too_long(field: str, limit: int, unit: str = "bytes") -> Cause:
    """``field`` holds more than ``limit``."""
    return Cause(CauseReason.TOO_LONG, field, f"too long: shorten it to {limit} {unit}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """``field`` has more than ``limit`` items."""
    return Cause(CauseReason.TOO_MANY, field, f"too many: {count} items, keep {limit} at most")


def _shown(value: object) -> str:
    """Return ``value`` as a sentence can hold it: text in quotes, and not a whole page of it."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def join(prefix: str, field: str) -> str:
    """Return the path of ``field`` inside ``prefix``; an index or key (``[0]``) joins without a dot."""
    if not prefix or not field or field[0] == "[":
        return prefix + field
    return f"{prefix}.{field}"


def under(prefix: str, causes: Sequence[Cause]) -> list[Cause]:
    """Return ``causes`` with ``prefix`` before their paths."""
    if not causes:
        return []
    return [Cause(cause.reason, join(prefix, cause.field), cause.message) for cause in causes]


def each(field: str, messages: Sequence[Message], check: Callable[[Message], list[Cause]]) -> list[Cause]:
    """Return what ``check`` finds in each of ``messages``, under ``field[0]``, ``field[1]``, …"""
    found: list[Cause] = []
    if not messages:  # much cheaper to ask a protobuf list than to walk it, and most are empty
        return found
    for index, message in enumerate(messages):
        if causes := check(message):
            found += under(f"{field}[{index}]", causes)
    return found


def problems(field: str, value: object, sentences: Sequence[str]) -> list[Cause]:
    """Return a cause for each of the ``sentences`` that a rule of ``names`` returned for ``value``."""
    if not sentences:
        return []
    return [invalid(field, value, sentence) for sentence in sentences]


def one_of(field: str, value: str, supported: frozenset[str]) -> list[Cause]:
    """Return what is wrong with a word that must be given and one of ``supported``."""
    if value in supported:
        return []
    if not value:
        return [required(field, f"choose one of {', '.join(sorted(supported))}")]
    return [not_supported(field, value, supported)]


def not_negative(field: str, value: int) -> list[Cause]:
    """Return what is wrong with a count that must be 0 or more."""
    return [invalid(field, value, "set it to 0 or more")] if value < 0 else []


def immutable(field: str, value: object, same: bool) -> list[Cause]:
    """Return a cause when a field that never changes is not the ``same`` as before."""
    return [] if same else [invalid(field, value, "field is immutable: keep it as it is, or create another object")]
