"""Plain JSON values: reading them strictly, comparing and copying them."""

from __future__ import annotations

import json
from typing import TypeAlias, cast

from rollplane_machinery.errors import BadRequestError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

MAX_DEPTH = 128
"""How deep values may nest: far deeper than any object, and well within Python's own limit for recursion."""


def read_json(text: bytes) -> Json:
    """Return the value written in ``text``; raises BadRequestError for anything but one strict JSON value.

    Duplicate names, NaN, infinities and nesting deeper than MAX_DEPTH are refused.
    """
    try:
        value = cast("Json", json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant))
    except (ValueError, RecursionError) as exc:
        raise BadRequestError(f"the patch is not valid JSON: {exc}") from exc
    check_depth(value)
    return value


def _no_duplicates(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate name {twice!r}")
    return found


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def check_depth(value: Json, room: int = MAX_DEPTH) -> None:
    """Raise BadRequestError when ``value`` nests deeper than ``room``."""
    if isinstance(value, dict | list):
        if room == 0:
            raise BadRequestError(f"nested deeper than {MAX_DEPTH} levels")
        for member in value.values() if isinstance(value, dict) else value:
            check_depth(member, room - 1)


def copied(value: Json) -> Json:
    """Return a deep copy of ``value``; raises BadRequestError when it nests too deep."""
    check_depth(value)
    return _copied(value)


def _copied(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _copied(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value


def equal(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON: numbers by value, and a bool is no number (as it is to Python)."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def expect_object(value: Json, what: str) -> JsonObject:
    """Return ``value`` when it is a JSON object; raises BadRequestError that says what should have been one."""
    if not isinstance(value, dict):
        raise BadRequestError(f"{what} must be a JSON object")
    return value


def expect_list(value: Json, what: str) -> list[Json]:
    """Return ``value`` when it is a JSON array; raises BadRequestError that says what should have been one."""
    if not isinstance(value, list):
        raise BadRequestError(f"{what} must be a JSON array")
    return value
