"""Resource quantities: ``500m``, ``1.5Gi``, ``1e3``.

A quantity is a whole number of nano units (finer amounts are rounded away from zero), written in one of three families
of suffixes. Values are exact; text is normalised the way Kubernetes normalises it, so that stored objects are equal.

Source of the rules: kubernetes/apimachinery pkg/api/resource (quantity.go, suffix.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.remembering import remembered

NANO = 10**9
"""How many nano units make one."""

_MILLI_IN_NANOS = 10**6
_MAX_BINARY = (2**63 - 1) * NANO
_MAX_TEXT = 128
_MAX_EXPONENT = 200
_FAST_DIGITS = 18

_PATTERN = re.compile(r"([+-]?)(?=[0-9.]*[0-9])([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {0: "", **{exponent: suffix for suffix, exponent in _BINARY.items()}}


class Family(Enum):
    """Which suffixes a quantity is written with."""

    DECIMAL = "k M G"
    BINARY = "Ki Mi Gi"
    EXPONENT = "e3 e6"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A quantity's value in nano units, its family, and how Kubernetes prints it."""

    nanos: int
    family: Family
    text: str


def parse(text: str) -> Fraction:
    """Return the exact value of ``text``; raises BadRequestError when it is no quantity."""
    return Fraction(_parse(text).nanos, NANO)


def nanos(text: str) -> int:
    """Return the value of ``text`` in nano units, the form to count and compare with; raises BadRequestError."""
    return _parse(text).nanos


def canonical(text: str) -> str:
    """Return ``text`` as Kubernetes stores it (``0.5`` is ``500m``, ``1.5Gi`` is ``1536Mi``); raises BadRequestError.

    Kubernetes keeps a few spellings that are not canonical (``1.500``, ``+5``) as they are, and so does this.
    """
    return _parse(text).text


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as ``left`` is below, equal to or above ``right``; raises BadRequestError."""
    a, b = nanos(left), nanos(right)
    return (a > b) - (a < b)


def larger(left: str, right: str) -> str:
    """Return the larger of two; raises BadRequestError when one is no quantity."""
    return left if compare(left, right) >= 0 else right


def add(left: str, right: str) -> str:
    """Return the sum in the family of ``left`` (of ``right`` when ``left`` is zero); raises BadRequestError."""
    a, b = _parse(left), _parse(right)
    return _print(a.nanos + b.nanos, a.family if a.nanos else b.family)


def from_nanos(amount: int, like: str) -> str:
    """Return ``amount`` nano units as a quantity in the family of ``like``; raises BadRequestError."""
    return _print(amount, _parse(like).family)


def subtract(left: str, right: str) -> str:
    """Return ``left`` without ``right``, in the family of ``left``; raises BadRequestError."""
    a = _parse(left)
    return _print(a.nanos - nanos(right), a.family)


def round_up_to_milli(text: str) -> str:
    """Return ``text`` with anything finer than a thousandth rounded away from zero, as defaulting does in resources."""
    return _rounded_up(text, _MILLI_IN_NANOS)


def round_up(text: str) -> str:
    """Return ``text`` as a whole number, rounded away from zero; raises BadRequestError."""
    return _rounded_up(text, NANO)


def _rounded_up(text: str, unit: int) -> str:
    parsed = _parse(text)
    if parsed.nanos % unit == 0:
        return parsed.text
    return _print(_divide_away_from_zero(parsed.nanos, unit) * unit, parsed.family)


# Quantities repeat endlessly (every pod of a rollout has the same four), so the parse is remembered by its text.
@remembered(4096, largest_bytes=64)
def _parse(text: str) -> _Parsed:
    text = text.strip()
    match = _PATTERN.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        raise BadRequestError(
            f"{text[:_MAX_TEXT]!r} is not a quantity: want a number and a suffix, such as 500m or 2Gi"
        )
    sign, whole, fraction, suffix = match.group(1), match.group(2), match.group(3) or "", match.group(4)
    base, exponent, family = _suffix(text, suffix)
    whole = whole.lstrip("0") or "0"
    magnitude = _scale(int(whole + fraction), len(fraction), base, exponent)
    if family is Family.BINARY:
        magnitude = min(magnitude, _MAX_BINARY)
        if magnitude < NANO:
            family = Family.DECIMAL
    value = -magnitude if sign == "-" else magnitude
    if _is_kept(whole, fraction, base, exponent):
        return _Parsed(value, family, text)
    return _Parsed(value, family, _print(value, family))


def _suffix(text: str, suffix: str) -> tuple[int, int, Family]:
    """Return base, exponent and family that ``suffix`` stands for."""
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], Family.DECIMAL
    if suffix in _BINARY:
        return 2, _BINARY[suffix], Family.BINARY
    if re.fullmatch(r"[eE][+-]?[0-9]+", suffix, re.ASCII) and abs(int(suffix[1:])) <= _MAX_EXPONENT:
        return 10, int(suffix[1:]), Family.EXPONENT
    raise BadRequestError(f"{text!r} is not a quantity: no such suffix as {suffix!r}")


def _scale(digits: int, places: int, base: int, exponent: int) -> int:
    """Return ``digits * 10**-places * base**exponent`` in nano units, rounded up."""
    numerator, denominator = digits * NANO, 10**places
    if exponent >= 0:
        numerator *= base**exponent
    else:
        denominator *= base**-exponent
    return _divide_away_from_zero(numerator, denominator)


def _divide_away_from_zero(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator) if numerator >= 0 else numerator // denominator


def _is_kept(whole: str, fraction: str, base: int, exponent: int) -> bool:
    """Whether Kubernetes' fast path takes the text for canonical and stores it as it was written."""
    if base == 2:
        room = 15 - len(whole) - exponent * 3 // 10 - 1
        return not fraction and room >= 0 and int(whole) % 8 != 0
    scale, digits = exponent - len(fraction), whole + fraction
    fits = len(digits) <= _FAST_DIGITS and scale >= -9
    return fits and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _print(value: int, family: Family) -> str:
    if value == 0:
        return "0"
    if family is Family.BINARY and abs(value) >= 1024 * NANO and value % NANO == 0:
        mantissa, exponent = _shift_out(value // NANO, 1024, 10, max(_BINARY_SUFFIX))
        return f"{mantissa}{_BINARY_SUFFIX[exponent]}"
    mantissa, exponent = _shift_out(value, 1000, 3, None)
    exponent -= 9
    if family is Family.EXPONENT or exponent not in _DECIMAL_SUFFIX:
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    return f"{mantissa}{_DECIMAL_SUFFIX[exponent]}"


def _shift_out(value: int, factor: int, step: int, limit: int | None) -> tuple[int, int]:
    """Divide ``value`` by ``factor`` as long as nothing is lost; return it and ``step`` times the divisions made."""
    exponent = 0
    while value % factor == 0 and (limit is None or exponent < limit):
        value //= factor
        exponent += step
    return value, exponent
