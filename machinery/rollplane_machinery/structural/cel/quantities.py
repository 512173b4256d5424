"""Quantities, and what they have in common with semantic versions.

Source: kubernetes/apiserver pkg/cel/library/quantity.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from cel_expr_python.cel import Type
from google.protobuf.message import Message

from rollplane_machinery import quantity
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.structural.cel import versions
from rollplane_machinery.structural.cel.functions import Function, function, member
from rollplane_machinery.structural.cel.messages import QUANTITY, SEMVER, maker, text_of, type_of

_NANO = 10**9
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_of_nanos = maker("kubernetes.Quantity")


def _to_quantity(text: str) -> Message:
    """Return a quantity, whose text is its count of nanos: equal ones are the same then."""
    try:
        return _of_nanos(str(quantity.nanos(text)))
    except RollplaneError as error:
        raise ValueError(error.message) from error


def _is_quantity(text: str) -> bool:
    try:
        quantity.nanos(text)
    except RollplaneError:
        return False
    return True


def _nanos(value: Message | int) -> int:
    return value * _NANO if isinstance(value, int) else int(text_of(value))


def _is_integer(value: Message) -> bool:
    whole, rest = divmod(_nanos(value), _NANO)
    return rest == 0 and _SMALLEST <= whole <= _LARGEST


def _as_integer(value: Message) -> int:
    if not _is_integer(value):
        raise ValueError("cannot convert value to integer")
    return _nanos(value) // _NANO


def _sign(value: Message) -> int:
    return _compared(_nanos(value), 0)


def _add(value: Message, other: Message | int) -> Message:
    return _of_nanos(str(_nanos(value) + _nanos(other)))


def _subtract(value: Message, other: Message | int) -> Message:
    return _of_nanos(str(_nanos(value) - _nanos(other)))


def _compared(left: int, right: int) -> int:
    return (left > right) - (left < right)


def _compare(left: Message, right: Message) -> int:
    if type_of(left) == SEMVER.name():
        return versions.compare(left, right)
    return _compared(_nanos(left), _nanos(right))


def _of_both(name: str, result: Type, *, of: frozenset[int] | None = None) -> Function:
    """A comparison of two quantities or of two versions: its order, or whether the order is one ``of`` these."""

    def call(left: Message, right: Message) -> int | bool:
        order = _compare(left, right)
        return order if of is None else order in of

    return Function(name, call, [(result, [kind, kind]) for kind in (QUANTITY, SEMVER)])


FUNCTIONS: Sequence[Function] = (
    function("quantity", _to_quantity, QUANTITY, Type.STRING),
    function("isQuantity", _is_quantity, Type.BOOL, Type.STRING),
    function("sign", _sign, Type.INT, QUANTITY),
    member("isInteger", _is_integer, Type.BOOL, QUANTITY),
    member("asInteger", _as_integer, Type.INT, QUANTITY),
    member("asApproximateFloat", lambda value: _nanos(value) / _NANO, Type.DOUBLE, QUANTITY),
    member("add", _add, QUANTITY, QUANTITY, QUANTITY),
    member("add", _add, QUANTITY, QUANTITY, Type.INT),
    member("sub", _subtract, QUANTITY, QUANTITY, QUANTITY),
    member("sub", _subtract, QUANTITY, QUANTITY, Type.INT),
    _of_both("compareTo", Type.INT),
    _of_both("isLessThan", Type.BOOL, of=frozenset({-1})),
    _of_both("isGreaterThan", Type.BOOL, of=frozenset({1})),
)
