"""Semantic versions.

Source: kubernetes/apiserver pkg/cel/library/semverlib.go; semver.org for the grammar and the order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cel_expr_python.cel import Type
from google.protobuf.message import Message

from rollplane_machinery.structural.cel.functions import Function, function, member
from rollplane_machinery.structural.cel.messages import SEMVER, maker, text_of

_semver = maker("kubernetes.Semver")
_NUMBER, _WORD = r"(?:0|[1-9]\d*)", r"\d*[a-zA-Z-][\da-zA-Z-]*"
_GRAMMAR = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-((?:{_WORD}|{_NUMBER})(?:\.(?:{_WORD}|{_NUMBER}))*))?"
    r"(?:\+[\da-zA-Z-]+(?:\.[\da-zA-Z-]+)*)?",
    re.ASCII,
)


class _Version(NamedTuple):
    """A version by its order: one before a release comes first, numbers before words; builds count nothing."""

    major: int
    minor: int
    patch: int
    is_release: bool
    before: tuple[tuple[int, int, str], ...]


def _parsed(text: str) -> _Version:
    match = _GRAMMAR.fullmatch(text)
    if match is None:
        raise ValueError(f'invalid semantic version "{text}"')
    before = () if match[4] is None else tuple(map(_identifier, match[4].split(".")))
    return _Version(int(match[1]), int(match[2]), int(match[3]), match[4] is None, before)


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def _normalized(text: str) -> str:
    """Without a ``v`` in front and without leading zeros, with three numbers."""
    text = text.removeprefix("v")
    end = min((at for at in (text.find("-"), text.find("+")) if at >= 0), default=len(text))
    numbers = [number.lstrip("0") or number[:1] for number in text[:end].split(".")]
    return ".".join(numbers + ["0"] * (3 - len(numbers))) + text[end:]


def _to_semver(text: str, normalize: bool = False) -> Message:
    text = _normalized(text) if normalize else text
    _parsed(text)
    return _semver(text)


def _is_semver(text: str, normalize: bool = False) -> bool:
    return _GRAMMAR.fullmatch(_normalized(text) if normalize else text) is not None


def compare(left: Message, right: Message) -> int:
    """Return -1, 0 or 1 as ``left`` is less than ``right``, equal or greater."""
    one, other = _parsed(text_of(left)), _parsed(text_of(right))
    return (one > other) - (one < other)


def _part(pick: Callable[[_Version], int]) -> Callable[[Message], int]:
    return lambda value: pick(_parsed(text_of(value)))


FUNCTIONS: Sequence[Function] = (
    function("semver", _to_semver, SEMVER, Type.STRING),
    function("semver", _to_semver, SEMVER, Type.STRING, Type.BOOL),
    function("isSemver", _is_semver, Type.BOOL, Type.STRING),
    function("isSemver", _is_semver, Type.BOOL, Type.STRING, Type.BOOL),
    member("major", _part(lambda version: version.major), Type.INT, SEMVER),
    member("minor", _part(lambda version: version.minor), Type.INT, SEMVER),
    member("patch", _part(lambda version: version.patch), Type.INT, SEMVER),
)
