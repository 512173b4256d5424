"""Reading a command's words and flags the way kubectl does.

Flags may stand anywhere (``get pods -o wide web-1``), short ones may be joined (``-Aw``, ``-oyaml``), a boolean takes
a value only behind ``=`` (``--watch=false``), and what was given is kept in order, because ``--record`` writes it down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from rollplane_cli.beyond import FLAGS, FORMATS, hint
from rollplane_cli.failures import FlagError
from rollplane_cli.flags import Flag, Flags, flags_of

F = TypeVar("F", bound=Flags)


def parse_line(line: Sequence[str], flags: type[F], *, hands_on: bool = False) -> F:
    """Return ``line`` as ``flags`` reads it; raises FlagError for flags that are unknown or have wrong values.

    With ``hands_on`` the first word or unknown flag and all behind it are words, whatever they look like.
    """
    return _Reading(flags).read_own(line) if hands_on else _Reading(flags).read(line)


class _Reading(Generic[F]):
    """A command line while it is read."""

    def __init__(self, flags: type[F]) -> None:
        self._flags = flags
        self._by_name = {flag.name: flag for flag in flags_of(flags)}
        self._by_short = {flag.short: flag for flag in flags_of(flags) if flag.short}
        self._given: list[tuple[Flag[Any], str]] = []

    def read(self, line: Sequence[str]) -> F:
        words: list[str] = []
        rest = iter(line)
        for word in rest:
            if word == "--":
                words += rest
            elif word.startswith("--"):
                self._read_long(word[2:], rest)
            elif word.startswith("-") and word != "-":
                self._read_short(word[1:], rest)
            else:
                words.append(word)
        return self._flags(words, self._given)

    def read_own(self, line: Sequence[str]) -> F:
        rest = iter(line)
        for word in rest:
            if word == "--":
                return self._flags([*rest], self._given)
            if not self._is_own(word):
                return self._flags([word, *rest], self._given)
            if word.startswith("--"):
                self._read_long(word[2:], rest)
            else:
                self._read_short(word[1:], rest)
        return self._flags([], self._given)

    def _is_own(self, word: str) -> bool:
        if word.startswith("--"):
            return word[2:].partition("=")[0] in self._by_name
        return word.startswith("-") and word[1:2] in self._by_short

    def _read_long(self, text: str, rest: Iterator[str]) -> None:
        name, equals, written = text.partition("=")
        flag = self._by_name.get(name)
        if flag is None:
            raise FlagError(f"unknown flag: --{name}{hint(name, FLAGS)}")
        value = written if equals else _behind(flag, rest)
        if value is None:
            raise FlagError(f"flag needs an argument: --{name}")
        self._take(flag, value)

    def _read_short(self, letters: str, rest: Iterator[str]) -> None:
        for at, letter in enumerate(letters):
            flag = self._by_short.get(letter)
            if flag is None:
                raise FlagError(f"unknown shorthand flag: '{letter}' in -{letters}")
            tail = letters[at + 1 :]
            if not flag.takes_value and not tail.startswith("="):
                self._take(flag, flag.bare)
                continue
            value = tail.removeprefix("=") if tail else next(rest, None)
            if value is None:
                raise FlagError(f"flag needs an argument: '{letter}' in -{letters}")
            self._take(flag, value)
            return

    def _take(self, flag: Flag[Any], text: str) -> None:
        """Note what was given; raises FlagError when it is no value of the flag."""
        if flag.choices and text not in flag.choices:
            told = f"must be one of {', '.join(flag.choices)}"
            if flag.name == "output":
                told += hint(text.partition("=")[0], FORMATS)
            raise FlagError(f'invalid argument "{text}" for "--{flag.name}" flag: {told}')
        try:
            flag.read(text)
        except ValueError as exc:
            raise FlagError(f'invalid argument "{text}" for "--{flag.name}" flag: {exc}') from exc
        self._given.append((flag, text))


def _behind(flag: Flag[Any], rest: Iterator[str]) -> str | None:
    """The value of a flag written without ``=``: the next word, or what the flag alone means."""
    return next(rest, None) if flag.takes_value else flag.bare
