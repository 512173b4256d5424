"""Plain JSON values: how deep they nest, comparing and copying them."""

from __future__ import annotations

from typing import TypeAlias

from rollplane_machinery.errors import BadRequestError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = "dict[str, Json]"

MAX_DEPTH = 128
"""How deep values may nest: far deeper than any object, and well within Python's own limit for recursion."""


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
