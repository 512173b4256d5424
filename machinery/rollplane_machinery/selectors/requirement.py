"""One requirement of a label selector: what it means, as a test; what is wrong with it; how it is printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from rollplane_machinery import names
from rollplane_machinery.frozen import frozen
from rollplane_machinery.showing import cut

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)


class Operator(StrEnum):
    """How a requirement compares; the values are those of the string grammar."""

    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"
    GREATER_THAN = ">"
    LESS_THAN = "<"


@frozen
class Requirement:
    """``key operator values``; ``values`` are sorted and unique, one for =, !=, > and <, none for exists and !."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"

    def test(self) -> Test:
        """Return the requirement as a function of the labels."""
        key, values = self.key, frozenset(self.values)
        match self.operator:
            case Operator.EQUALS | Operator.IN:
                return lambda labels: labels.get(key) in values
            case Operator.NOT_EQUALS | Operator.NOT_IN:
                # An absent label is None here, which is none of the values: it matches, as it should.
                return lambda labels: labels.get(key) not in values
            case Operator.EXISTS:
                return lambda labels: key in labels
            case Operator.DOES_NOT_EXIST:
                return lambda labels: key not in labels
            case Operator.GREATER_THAN:
                return _compare(key, int(self.values[0]), lambda label, bound: label > bound)
            case Operator.LESS_THAN:
                return _compare(key, int(self.values[0]), lambda label, bound: label < bound)


def _compare(key: str, bound: int, holds: Callable[[int, int], bool]) -> Test:
    def test(labels: Labels) -> bool:
        text = labels.get(key)
        return text is not None and is_integer(text) and holds(int(text), bound)

    return test


def is_integer(text: str) -> bool:
    """Whether ``text`` is a whole number that > and < can compare."""
    return _INTEGER.fullmatch(text) is not None


def key_problem(key: str) -> str | None:
    """Return what is wrong with ``key`` as a label key, None when nothing is."""
    return _problem("label key", key, names.check_qualified_name(key))


def value_problem(value: str) -> str | None:
    """Return what is wrong with ``value`` as a label value, None when nothing is."""
    return _problem("label value", value, names.check_label_value(value))


def _problem(what: str, text: str, problems: list[str]) -> str | None:
    return f"{cut(text)!r} is no {what}: {'; '.join(problems)}" if problems else None
