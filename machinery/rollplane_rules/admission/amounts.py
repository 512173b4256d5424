"""Amounts of resources by name, each a quantity as text, and arithmetic with them.

Amounts stay text so that they are told as they were written: a sum is in the family of suffixes of what it began with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rollplane.meta.v1 import Quantity
from rollplane_machinery import quantity
from rollplane_machinery.errors import BadRequestError

Amounts = Mapping[str, str]
NOTHING: Amounts = MappingProxyType({})
ONE = "1"


def amounts_of(named: Mapping[str, Quantity]) -> Amounts:
    """Return the amounts in a field of a message."""
    return {name: named[name].string for name in named} if named else NOTHING


def read_amounts(value: object) -> Amounts:
    """Return the amounts in a JSON object, in canonical text; what is no quantity is left out."""
    named = value.items() if isinstance(value, dict) else ()
    read = {name: _canonical(amount) for name, amount in named}
    return {name: text for name, text in read.items() if text is not None}


def _canonical(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return quantity.canonical(str(value))
    except BadRequestError:
        return None


def added(left: Amounts, right: Amounts) -> Amounts:
    """Return the sum."""
    if not left or not right:
        return left or right
    sums = {name: quantity.add(left[name], amount) if name in left else amount for name, amount in right.items()}
    return {**left, **sums}


def largest(left: Amounts, right: Amounts) -> Amounts:
    """Return of each resource the larger amount."""
    if not left or not right:
        return left or right
    return {**left, **{name: quantity.larger(left.get(name, amount), amount) for name, amount in right.items()}}


def rise(new: Amounts, old: Amounts) -> Amounts:
    """Return by how much each resource of ``new`` is above ``old``; what did not rise is left out."""
    rises = {name: quantity.subtract(amount, old[name]) if name in old else amount for name, amount in new.items()}
    return {name: amount for name, amount in rises.items() if quantity.nanos(amount) > 0}


def told(amounts: Amounts, names: Iterable[str]) -> str:
    """Return those ``names`` as refusals list them: ``cpu=1,pods=2``."""
    return ",".join(f"{name}={amounts[name]}" for name in names)
