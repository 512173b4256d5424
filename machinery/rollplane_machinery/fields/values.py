"""JSON values side by side, one of which may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

from rollplane_machinery.patch.json_value import Json, JsonObject


class Absent(Enum):
    """The type of ABSENT."""

    ABSENT = 0


ABSENT = Absent.ABSENT
"""No value; null is one."""

Value: TypeAlias = "Json | Absent"


def is_empty(value: Value) -> bool:
    """Whether an object or list has nothing inside."""
    return value is ABSENT or value is None or value in ({}, [])


def as_members(value: Value) -> JsonObject:
    """Return the members of an object; null, or no value, has none."""
    return value if isinstance(value, dict) else {}


def as_items(value: Value) -> Sequence[Json]:
    """Return the items of a list; null, or no value, has none."""
    return value if isinstance(value, list) else ()
