"""Reading a command's words and flags the way kubectl does.

Flags may stand anywhere (``get pods -o wide web-1``), short ones may be joined (``-Aw``, ``-oyaml``), a boolean takes
a value only behind ``=`` (``--watch=false``), and what was given is kept in order, because ``--record`` writes it down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from rollplane_cli.failures import UsageError

Value = str | bool | int | float | tuple[str, ...] | None


class FlagType(Enum):
    """What a flag's value is."""

    TEXT = "string"
    TEXTS = "strings"
    BOOLEAN = "bool"
    NUMBER = "int"
    DURATION = "duration"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a command.

    ``bare`` is the value a text flag has when it is given without one (``--cascade``); ``choices`` limits values.
    TEXTS may be given several times, and several values may be joined by commas.
    """

    name: str
    help: str
    short: str = ""
    type: FlagType = FlagType.TEXT
    default: Value = None
    bare: str = ""
    choices: tuple[str, ...] = ()

    @property
    def takes_value(self) -> bool:
        return self.type is not FlagType.BOOLEAN and not self.bare


def switch(name: str, help: str, short: str = "", *, default: bool = False) -> Flag:  # noqa: A002 - as Flag has it
    """Return a boolean flag."""
    return Flag(name, help, short, FlagType.BOOLEAN, default)


@dataclass(frozen=True, slots=True)
class Arguments:
    """A parsed command line: its words, every flag's value, and the flags ``given``, in order, as text."""

    words: tuple[str, ...]
    values: Mapping[str, Value]
    given: tuple[tuple[str, str], ...] = ()

    def has(self, name: str) -> bool:
        """Whether the flag was given at all."""
        return any(name == each for each, _ in self.given)

    def text(self, name: str) -> str:
        """Return a text flag's value, empty when it has none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a repeatable flag."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def boolean(self, name: str) -> bool:
        """Return whether a switch is on."""
        return bool(self.values.get(name))

    def number(self, name: str) -> int | None:
        """Return a whole number, None when the flag was not given and has no default."""
        value = self.values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def seconds(self, name: str) -> float:
        """Return a duration in seconds, 0.0 when there is none."""
        value = self.values.get(name)
        return value if isinstance(value, float) else 0.0


@dataclass(slots=True)
class _Reading:
    """A command line while it is read."""

    by_name: Mapping[str, Flag]
    by_short: Mapping[str, Flag]
    words: list[str] = field(default_factory=list)
    given: list[tuple[Flag, str]] = field(default_factory=list)


def parse_arguments(line: Sequence[str], flags: Sequence[Flag]) -> Arguments:
    """Return ``line`` read by ``flags``; raises UsageError for flags that are unknown or have wrong values."""
    reading = _Reading({flag.name: flag for flag in flags}, {flag.short: flag for flag in flags if flag.short})
    rest = iter(line)
    for word in rest:
        if word == "--":
            reading.words += rest
        elif word.startswith("--"):
            _read_long(reading, word[2:], rest)
        elif word.startswith("-") and word != "-":
            _read_short(reading, word[1:], rest)
        else:
            reading.words.append(word)
    values = {flag.name: flag.default for flag in flags}
    for flag, text in reading.given:
        values[flag.name] = _merged(values[flag.name], _value(flag, text), flag)
    given = tuple((flag.name, text) for flag, text in reading.given)
    return Arguments(tuple(reading.words), values, given)


def _read_long(reading: _Reading, text: str, rest: Iterator[str]) -> None:
    name, equals, written = text.partition("=")
    flag = reading.by_name.get(name)
    if flag is None:
        raise UsageError(f"unknown flag: --{name}")
    value = written if equals else _behind(flag, rest)
    if value is None:
        raise UsageError(f"flag needs an argument: --{name}")
    reading.given.append((flag, value))


def _behind(flag: Flag, rest: Iterator[str]) -> str | None:
    """The value of a flag written without ``=``: the next word, or what the flag alone means."""
    return next(rest, None) if flag.takes_value else flag.bare or "true"


def _read_short(reading: _Reading, letters: str, rest: Iterator[str]) -> None:
    for at, letter in enumerate(letters):
        flag = reading.by_short.get(letter)
        if flag is None:
            raise UsageError(f"unknown shorthand flag: '{letter}' in -{letters}")
        tail = letters[at + 1 :]
        if flag.takes_value or tail.startswith("="):
            value = tail.removeprefix("=") if tail else next(rest, None)
            if value is None:
                raise UsageError(f"flag needs an argument: '{letter}' in -{letters}")
            reading.given.append((flag, value))
            return
        reading.given.append((flag, flag.bare or "true"))


def _merged(before: Value, value: Value, flag: Flag) -> Value:
    """The last value counts, but those of TEXTS add up."""
    if flag.type is FlagType.TEXTS and isinstance(before, tuple) and isinstance(value, tuple):
        return before + value
    return value


def _value(flag: Flag, text: str) -> Value:
    try:
        value = _read(flag.type, text)
    except ValueError as exc:
        raise UsageError(f'invalid argument "{text}" for "--{flag.name}" flag: {exc}') from exc
    if flag.choices and text not in flag.choices:
        wanted = ", ".join(flag.choices)
        raise UsageError(f'invalid argument "{text}" for "--{flag.name}" flag: must be one of {wanted}')
    return value


def _read(type_: FlagType, text: str) -> Value:
    match type_:
        case FlagType.TEXT:
            return text
        case FlagType.TEXTS:
            return tuple(part for part in text.split(",") if part)
        case FlagType.BOOLEAN:
            return _boolean(text)
        case FlagType.NUMBER:
            return _number(text)
        case FlagType.DURATION:
            return _seconds(text)


def _boolean(text: str) -> bool:
    if text.lower() in ("true", "1", "t"):
        return True
    if text.lower() in ("false", "0", "f"):
        return False
    raise ValueError("want true or false")


def _number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError("not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    """A duration as Go writes it (``1m30s``); a bare number counts seconds."""
    from rollplane_machinery.codec.time_text import parse_duration  # not needed by every command

    if re.fullmatch(r"[0-9]+", text):
        return float(text)
    return parse_duration(text) / 1e9
