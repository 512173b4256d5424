r"""Paths as printer columns and selectable fields have them: ``.status.conditions[?(@.type=="Ready")].status``.

A step is a name (``.spec``, ``['a.b']``, ``.metadata.annotations.a\.b/c``), an index or a slice (``[0]``, ``[-1]``,
``[1:3]``), everything (``.*``, ``[*]``), a name at any depth (``..image``) or a filter that compares a member or asks
for it.

Source: kubernetes/client-go util/jsonpath, without ``range`` and text between paths.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from rollplane_machinery.patch.json_value import Json, equal

Step: TypeAlias = Callable[[Json], Iterable[Json]]
Find: TypeAlias = Callable[[Json], list[Json]]

_TOKEN = re.compile(
    r"""\.\.(?P<deep>[^.\[\]'"\s()]+)
      | \.?\*(?P<all>)
      | \.(?P<name>(?:\\.|[^.\[\]\\'"\s()])+)
      | \[\s*(?:'(?P<single>(?:\\.|[^'\\])*)'|"(?P<double>(?:\\.|[^"\\])*)")\s*\]
      | \[\s*(?P<slice>-?\d*:-?\d*(?::\d+)?)\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*\*\s*\](?P<every>)
      | \[\?\((?P<filter>[^\]]*)\)\]""",
    re.VERBOSE,
)
_FILTER = re.compile(r"""\s*(?P<left>[^=!<>]+?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<right>.+?)\s*)?""", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
)


class PathError(ValueError):
    """The text is no path; says where it ceases to be one."""


def compile_path(text: str) -> Find:
    """Return what finds the values at the path ``text``, none where nothing stands.

    Raises PathError for what is no path.
    """
    steps = list(_steps(text))

    def find(value: Json) -> list[Json]:
        found = [value]
        for step in steps:
            found = [each for one in found for each in step(one)]
        return found

    return find


def _steps(text: str) -> Iterator[Step]:
    position = 1 if text == "." else 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            raise PathError(f"unrecognized character at {text[position:]!r}")
        yield _step(str(match.lastgroup), match[str(match.lastgroup)])
        position = match.end()


def _step(kind: str, text: str) -> Step:
    match kind:
        case "name" | "single" | "double":
            return _member(_ESCAPE.sub(r"\1", text))
        case "deep":
            return _deep(text)
        case "index":
            return _index(int(text))
        case "slice":
            return _slice(slice(*(int(part) if part else None for part in text.split(":"))))
        case "filter":
            return _filter(text)
    return _children


def _member(name: str) -> Step:
    return lambda value: (value[name],) if isinstance(value, dict) and name in value else ()


def _children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _deep(name: str) -> Step:
    def step(value: Json) -> Iterator[Json]:
        if isinstance(value, dict) and name in value:
            yield value[name]
        for child in _children(value):
            yield from step(child)

    return step


def _index(index: int) -> Step:
    def step(value: Json) -> Iterable[Json]:
        in_range = isinstance(value, list) and -len(value) <= index < len(value)
        return (value[index],) if in_range and isinstance(value, list) else ()

    return step


def _slice(part: slice) -> Step:
    return lambda value: value[part] if isinstance(value, list) else ()


def _filter(text: str) -> Step:
    match = _FILTER.fullmatch(text)
    if match is None:
        raise PathError(f"filter {text!r} compares nothing")
    left = _operand(match["left"])
    if match["op"] is None:
        return lambda value: (each for each in _children(value) if left(each))
    right, compares = _operand(match["right"]), _comparison(match["op"])
    return lambda value: (each for each in _children(value) if _holds(left(each), right(each), compares))


def _operand(text: str) -> Find:
    """What stands at a path from the item (``@``), or the value that is written there."""
    if text.startswith("@"):
        return compile_path(text[1:])
    value = _literal(text)
    return lambda _: [value]


def _literal(text: str) -> Json:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _ESCAPE.sub(r"\1", text[1:-1])
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        raise PathError(f"{text!r} is no value to compare with") from None


def _holds(left: list[Json], right: list[Json], compares: Callable[[Json, Json], bool]) -> bool:
    """Items without the member are left out, even of those that differ."""
    return bool(left and right) and compares(left[0], right[0])


def _comparison(sign: str) -> Callable[[Json, Json], bool]:
    if sign == "==":
        return equal
    if sign == "!=":
        return lambda left, right: not equal(left, right)
    order = _ORDERS[sign]

    def compares(left: Json, right: Json) -> bool:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        texts = isinstance(left, str) and isinstance(right, str)
        return (numbers or texts) and order(left, right)

    return compares
