"""Counts and percentages that limit a rolling update or a disruption."""

from __future__ import annotations

from rollplane.meta.v1 import IntOrString
from rollplane_machinery import int_or_string, names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import invalid, not_negative, problems


def check_share(field: str, value: IntOrString, *, at_most_all: bool = True) -> list[Cause]:
    """Return what is wrong with a count of 0 or more, or a percentage, of 100% at most when ``at_most_all``."""
    if value.type != int_or_string.STRING:
        return not_negative(field, value.int_val)
    if sentences := names.check_percent(value.str_val):
        return problems(field, value.str_val, sentences)
    if at_most_all and int_or_string.percent(value) > 100:
        return [invalid(field, value.str_val, "choose 100% or less")]
    return []


def is_zero(value: IntOrString) -> bool:
    """Whether ``value`` reads 0 or 0%, not only comes out as 0 of some total."""
    if value.type != int_or_string.STRING:
        return value.int_val == 0
    return not names.check_percent(value.str_val) and int_or_string.percent(value) == 0
