"""IntOrString: a count, or a share in percent of some total (``maxSurge: 3`` or ``maxSurge: 25%``)."""

from __future__ import annotations

import re

from rollplane.meta.v1 import IntOrString
from rollplane_machinery.errors import InvalidError

INT = 0
STRING = 1

_PERCENT = re.compile(r"([0-9]+)%", re.ASCII)


def of(value: int | str) -> IntOrString:
    """Return ``value`` as a message, all fields set as Kubernetes encodes them."""
    if isinstance(value, int):
        return IntOrString(type=INT, int_val=value, str_val="")
    return IntOrString(type=STRING, int_val=0, str_val=value)


def to_plain(value: IntOrString) -> int | str:
    """Return the number or the text that ``value`` holds."""
    return value.str_val if value.type == STRING else value.int_val


def percent(value: IntOrString) -> int:
    """Return the number before the percent sign; raises InvalidError when ``value`` is no percentage."""
    match = _PERCENT.fullmatch(value.str_val) if value.type == STRING else None
    if match is None:
        raise InvalidError(f"{to_plain(value)!r} is not a percentage such as 25%")
    return int(match.group(1))


def resolve(value: IntOrString, total: int, *, round_up: bool) -> int:
    """Return the count that ``value`` means among ``total``; raises InvalidError for text that is no percentage.

    25% of 5 is 2 rounded up, 1 rounded down.
    """
    if value.type != STRING:
        return value.int_val
    share = percent(value) * total
    return -(-share // 100) if round_up else share // 100
