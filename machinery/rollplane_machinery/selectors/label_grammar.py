"""The string grammar of label selectors: ``app=web,tier in (front,back),!canary,weight>5``.

Source: kubernetes/apimachinery pkg/labels/selector.go. Words are anything between white space and ``= ! ( ) , < >``;
``in`` and ``notin`` are operators only where one can stand, so both are fine as keys and values.
"""

from __future__ import annotations

import re
from typing import NoReturn

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.selectors.requirement import Operator, Requirement, is_integer, key_problem, value_problem
from rollplane_machinery.showing import cut

_TOKEN = re.compile(r"[ \t\r\n]*(?:(?P<symbol>==|!=|[=!(),<>])|(?P<word>[^ \t\r\n=!(),<>]+))")
_SPACE = " \t\r\n"
_END = "end of string"

_OPERATORS = {
    "=": Operator.EQUALS,
    "==": Operator.EQUALS,
    "!=": Operator.NOT_EQUALS,
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}


@frozen
class _Token:
    """A symbol, a word, or the end; ``position`` counts characters from 1."""

    text: str
    position: int
    is_word: bool = False
    is_end: bool = False


def parse_requirements(text: str) -> list[Requirement]:
    """Return the requirements in ``text`` in the order written.

    Raises BadRequestError that names the position (from 1) of what cannot be read.
    """
    return _Parser(text).requirements()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        if self._peek().is_end:
            return found
        while True:
            found.append(self._requirement())
            token = self._take()
            if token.is_end:
                return found
            if token.text != ",":
                self._fail(token, "',' or the end")

    def _requirement(self) -> Requirement:
        negated = self._peek().text == "!"
        if negated:
            self._take()
        key = self._key()
        if negated:
            return Requirement(key, Operator.DOES_NOT_EXIST)
        if self._peek().is_end or self._peek().text == ",":
            return Requirement(key, Operator.EXISTS)
        token = self._take()
        operator = _OPERATORS.get(token.text)
        if operator is None:
            self._fail(token, "one of = == != in notin > <")
        if operator in (Operator.IN, Operator.NOT_IN):
            return Requirement(key, operator, tuple(sorted(set(self._values()))))
        return Requirement(
            key,
            operator,
            (self._bound() if operator in (Operator.GREATER_THAN, Operator.LESS_THAN) else self._value(),),
        )

    def _key(self) -> str:
        token = self._take()
        if not token.is_word:
            self._fail(token, "a label key")
        self._check(token, key_problem(token.text))
        return token.text

    def _value(self) -> str:
        """A value; nothing before a comma or the end is the empty one."""
        if self._peek().is_end or self._peek().text in (",", ")"):
            return ""
        token = self._take()
        if not token.is_word:
            self._fail(token, "a label value")
        self._check(token, value_problem(token.text))
        return token.text

    def _bound(self) -> str:
        token = self._take()
        if not is_integer(token.text):
            self._fail(token, "an integer")
        return token.text

    def _values(self) -> list[str]:
        token = self._take()
        if token.text != "(":
            self._fail(token, "'('")
        values = [self._value()]
        while (token := self._take()).text == ",":
            values.append(self._value())
        if token.text != ")":
            self._fail(token, "',' or ')'")
        return values

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _check(self, token: _Token, problem: str | None) -> None:
        if problem is not None:
            raise BadRequestError(f"label selector {cut(self._text)!r}, position {token.position}: {problem}")

    def _fail(self, token: _Token, expected: str) -> NoReturn:
        found = _END if token.is_end else repr(cut(token.text))
        raise BadRequestError(
            f"label selector {cut(self._text)!r}, position {token.position}: found {found}, expected {expected}"
        )


def _tokens(text: str) -> list[_Token]:
    """Every token of ``text`` and the end; any character belongs to one, so nothing is refused here."""
    end = len(text.rstrip(_SPACE))
    tokens = [
        _Token(match[match.lastgroup or 0], match.start(match.lastgroup or 0) + 1, match.lastgroup == "word")
        for match in _TOKEN.finditer(text, 0, end)
    ]
    return [*tokens, _Token("", end + 1, is_end=True)]
