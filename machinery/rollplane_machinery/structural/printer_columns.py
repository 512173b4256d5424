"""Values of printer columns.

Source: kubernetes/apiextensions-apiserver pkg/registry/customresource/tableconvertor/tableconvertor.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.causes import go_float, shown
from rollplane_machinery.structural.json_path import PathError, compile_path

Value: TypeAlias = "str | int | float | bool | None"
"""What a column holds: a time as it is written, None where there is nothing to show."""


def compile_column(kind: str, json_path: str) -> Callable[[Json], Value] | None:
    """Return what reads a column of the type ``kind`` from an object; None where the path is none.

    A ``date`` is the text of a time, whose age is for whoever prints it.
    """
    try:
        find = compile_path(json_path)
    except PathError:
        return None
    cell = _CELLS.get(kind, _nothing)

    def read(obj: Json) -> Value:
        found = find(obj)
        return cell(found[0]) if found else None

    return read


def _text(value: Json) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list):
        return shown(value)
    return "" if value is None else go_float(value) if isinstance(value, float) else str(value)


def _integer(value: Json) -> Value:
    return int(value) if _is_number(value) and isinstance(value, int | float) else None


def _number(value: Json) -> Value:
    return float(value) if _is_number(value) and isinstance(value, int | float) else None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boolean(value: Json) -> Value:
    return value if isinstance(value, bool) else None


def _date(value: Json) -> Value:
    return value if isinstance(value, str) else None


def _nothing(_: Json) -> Value:
    return None


_CELLS: dict[str, Callable[[Json], Value]] = {
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
}
