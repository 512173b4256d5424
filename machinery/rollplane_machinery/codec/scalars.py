"""What a plain YAML scalar means to Kubernetes' tools, which read YAML 1.1 with a few rules of their own.

``yes``, ``on`` and ``y`` are booleans and ``0644`` is octal, as in YAML 1.1; ``22:30`` is a string (no base 60), and so
is a date. A float without a fraction becomes an integer, since JSON is written in between: ``replicas: 3.0`` is 3.

Source of the rules: kubernetes-sigs/yaml goyaml.v2/resolve.go, and the way yaml.go turns YAML into JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_TRUE = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_NOT_FINITE = (".nan", ".NaN", ".NAN", *(sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")))
_WORDS: Mapping[str, bool | None] = MappingProxyType(
    dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False) | dict.fromkeys(_NULL, None)
)

_FIRST_OF_SPECIAL = frozenset("0123456789+-.yYnNtTfFoO~")
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BASE_60 = re.compile(r"[+-]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)
_CLOCK = r"\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?"
_DATE = re.compile(rf"\d{{4}}-\d{{1,2}}-\d{{1,2}}(?:[Tt]{_CLOCK}(?:Z|[+-]\d\d:\d\d)| {_CLOCK})?", re.ASCII)
# Go prints an integral float as an integer below this, and in exponent form from it on.
_EXPONENT_FROM = 1e21
_MAX_DIGITS = 400


def resolve(text: str) -> bool | int | float | str | None:
    """Return the value of a plain scalar; raises ValueError for one that JSON has no word for (``.inf``)."""
    if text and text[0] not in _FIRST_OF_SPECIAL:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        raise ValueError(f"{text} is not a JSON number")
    return _number(text) if len(text) <= _MAX_DIGITS else text


def _number(text: str) -> int | float | str:
    plain = text.replace("_", "") if text[0] != "." else text
    if _INTEGER.fullmatch(plain):
        return _integer(plain)
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        if value in (float("inf"), float("-inf")):
            return text
        return int(value) if value.is_integer() and abs(value) < _EXPONENT_FROM else value
    return text


def _integer(plain: str) -> int:
    """``0644`` is octal, as in Go and YAML 1.1; Python would want ``0o644``."""
    digits = plain.lstrip("+-")
    is_old_octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    value = int(digits, 8) if is_old_octal else int(digits, 0)
    return -value if plain[0] == "-" else value


def needs_quotes(text: str) -> bool:
    """Whether ``text``, written plainly, would be read as something else than a string by some YAML reader."""
    if text and text[0] not in _FIRST_OF_SPECIAL:
        return text in _WORDS or text == "<<"
    if text in _WORDS or text in _NOT_FINITE or not isinstance(_number(text), str):
        return True
    return _BASE_60.fullmatch(text) is not None or _DATE.fullmatch(text) is not None
