"""Checks of one text or number.

Source: kubernetes/kube-openapi pkg/validation/validate/values.go and validator.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rollplane_machinery.fields.values import Value
from rollplane_machinery.structural.causes import go_float, invalid, too_long
from rollplane_machinery.structural.faults import NONE, Check, Faults, fault, whole_fault
from rollplane_machinery.structural.patterns import matcher
from rollplane_machinery.structural.schema import Document

_INT_FORMATS = {"int32": 2**31}
_LARGEST_WHOLE = 2.0**53 - 1


def text_checks(document: Document) -> list[Check]:
    """Return the checks of lengths and pattern; the first that fails is told alone."""
    checks = [check for check in (_longest(document), _shortest(document), _matches(document)) if check]
    return [_first(checks)] if len(checks) > 1 else checks


def _first(checks: list[Check]) -> Check:
    def check(value: Any, old: Value) -> Faults:
        for each in checks:
            if faults := each(value, old):
                return faults
        return NONE

    return check


def _longest(document: Document) -> Check | None:
    if (limit := document.get("maxLength")) is None:
        return None
    found = fault(lambda _, field: too_long(field, limit))

    def check(value: Any, _: Value) -> Faults:
        return found if len(value) > limit else NONE

    return check


def _shortest(document: Document) -> Check | None:
    if (limit := document.get("minLength")) is None:
        return None

    def check(value: Any, _: Value) -> Faults:
        if len(value) >= limit:
            return NONE
        return fault(lambda name, field: invalid(field, value, f"{name} in body should be at least {limit} chars long"))

    return check


def _matches(document: Document) -> Check | None:
    pattern = document.get("pattern")
    if not pattern:
        return None
    matches = matcher(pattern)

    def check(value: Any, _: Value) -> Faults:
        if matches(value):
            return NONE
        return fault(lambda name, field: invalid(field, value, f"{name} in body should match '{pattern}'"))

    return check


def number_checks(document: Document) -> Iterator[Check]:
    """Yield the checks of range and step, and that an integer fits into its format."""
    if document.get("type") == "integer" and (limit := _INT_FORMATS.get(document.get("format") or "")):
        yield _fits(limit, document["format"])
    if (step := document.get("multipleOf")) is not None:
        yield _multiple(step)
    if (most := document.get("maximum")) is not None:
        yield _at_most(most, document.get("exclusiveMaximum") is True)
    if (least := document.get("minimum")) is not None:
        yield _at_least(least, document.get("exclusiveMinimum") is True)


def _fits(limit: int, name_of_format: str) -> Check:
    found = whole_fault(f"Checked value must be of type integer with format {name_of_format} in {{}}")

    def check(value: Any, _: Value) -> Faults:
        return NONE if -limit <= value < limit else found

    return check


def _multiple(step: float) -> Check:
    def check(value: Any, _: Value) -> Faults:
        if _is_multiple(value, step):
            return NONE
        return fault(
            lambda name, field: invalid(field, value, f"{name} in body should be a multiple of {_limit(step, value)}")
        )

    return check


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and float(step).is_integer():
        return value % int(step) == 0
    quotient: float = 1 / step * value if step < 1 else value / step
    return abs(quotient) <= _LARGEST_WHOLE and quotient.is_integer()


def _at_most(limit: float, exclusive: bool) -> Check:
    word = "less than" if exclusive else "less than or equal to"

    def check(value: Any, _: Value) -> Faults:
        if value < limit or (value == limit and not exclusive):
            return NONE
        return fault(
            lambda name, field: invalid(field, value, f"{name} in body should be {word} {_limit(limit, value)}")
        )

    return check


def _at_least(limit: float, exclusive: bool) -> Check:
    word = "greater than" if exclusive else "greater than or equal to"

    def check(value: Any, _: Value) -> Faults:
        if value > limit or (value == limit and not exclusive):
            return NONE
        return fault(
            lambda name, field: invalid(field, value, f"{name} in body should be {word} {_limit(limit, value)}")
        )

    return check


def _limit(limit: float, value: float) -> str:
    """Return ``limit`` as it is told: whole numbers are compared as such."""
    return str(int(limit)) if isinstance(value, int) else go_float(float(limit))
