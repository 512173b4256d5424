"""Functions of lists and sets.

Source: kubernetes/apiserver pkg/cel/library/lists.go, google/cel-go ext/sets.go and ext/lists.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from cel_expr_python.cel import Type

from rollplane_machinery.patch.json_value import equal
from rollplane_machinery.structural.cel.functions import LIST, Function, function, member

_COMPARABLE = (
    Type.INT,
    Type.UINT,
    Type.DOUBLE,
    Type.BOOL,
    Type.STRING,
    Type.BYTES,
    Type.DURATION,
    Type.TIMESTAMP,
)
_SUMMABLE = (Type.INT, Type.UINT, Type.DOUBLE, Type.DURATION)
_LONGEST_RANGE = 10_000
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
Items = Sequence[Any]


def _of_lists(name: str, call: Callable[..., Any], kinds: Iterable[Type], result: Type | None = None) -> Function:
    """A member of lists of each of ``kinds`` that returns an item, unless it always returns a ``result``."""
    return Function(name, call, [(result or kind, [Type.List(kind)]) for kind in kinds])


def _is_sorted(items: Items) -> bool:
    return all(left <= right for left, right in pairwise(items))


def _sum(items: Items) -> Any:
    if not items:
        return 0
    total = items[0]
    for item in items[1:]:
        total += item
    if isinstance(total, int) and not _SMALLEST <= total <= _LARGEST:
        raise ValueError("integer overflow")
    return total


def _picked(name: str, pick: Callable[[Items], Any]) -> Callable[[Items], Any]:
    def call(items: Items) -> Any:
        if not items:
            raise ValueError(f"{name} called on empty list")
        return pick(items)

    return call


def _index(items: Items, wanted: Any) -> int:
    return next((index for index, item in enumerate(items) if equal(item, wanted)), -1)


def _last_index(items: Items, wanted: Any) -> int:
    return next((index for index in reversed(range(len(items))) if equal(items[index], wanted)), -1)


def _contains(items: Items, others: Items) -> bool:
    return all(_index(items, other) >= 0 for other in others)


def _equivalent(items: Items, others: Items) -> bool:
    return _contains(items, others) and _contains(others, items)


def _intersects(items: Items, others: Items) -> bool:
    return any(_index(items, other) >= 0 for other in others)


def _distinct(items: Items) -> Items:
    found: list[Any] = []
    for item in items:
        if _index(found, item) < 0:
            found.append(item)
    return found


def _flatten(items: Items, depth: int = 1) -> Items:
    if depth < 0:
        raise ValueError("level must be non-negative")
    flat: list[Any] = []
    for item in items:
        flat += _flatten(item, depth - 1) if depth and isinstance(item, list) else [item]
    return flat


def _slice(items: Items, start: int, end: int) -> Items:
    if start < 0 or end < 0:
        raise ValueError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end or end > len(items):
        raise ValueError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _range(count: int) -> Items:
    if count > _LONGEST_RANGE:
        raise ValueError(f"range of {count} is longer than {_LONGEST_RANGE}")
    return list(range(count))


FUNCTIONS: Sequence[Function] = (
    _of_lists("isSorted", _is_sorted, _COMPARABLE, Type.BOOL),
    _of_lists("sum", _sum, _SUMMABLE),
    _of_lists("min", _picked("min", min), _COMPARABLE),
    _of_lists("max", _picked("max", max), _COMPARABLE),
    member("indexOf", _index, Type.INT, LIST, Type.DYN),
    member("lastIndexOf", _last_index, Type.INT, LIST, Type.DYN),
    member("includes", lambda items, wanted: _index(items, wanted) >= 0, Type.BOOL, LIST, Type.DYN),
    function("sets.contains", _contains, Type.BOOL, LIST, LIST),
    function("sets.equivalent", _equivalent, Type.BOOL, LIST, LIST),
    function("sets.intersects", _intersects, Type.BOOL, LIST, LIST),
    member("distinct", _distinct, LIST, LIST),
    member("flatten", _flatten, LIST, LIST),
    member("flatten", _flatten, LIST, LIST, Type.INT),
    member("slice", _slice, LIST, LIST, Type.INT, Type.INT),
    member("reverse", lambda items: items[::-1], LIST, LIST),
    member("sort", sorted, LIST, LIST),
    function("lists.range", _range, Type.List(Type.INT), Type.INT),
)
