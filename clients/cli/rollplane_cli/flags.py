"""What a command line may say: a class of flags for each command, its values read as attributes.

``class ScaleFlags(ChoosingFlags): replicas = optional_number("The new number")`` declares ``--replicas``, and a run
that is handed ``flags: ScaleFlags`` reads ``flags.replicas``, an ``int | None``. To read a flag that the command does
not declare is an error for mypy. Flags that several commands share stand in classes to inherit from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


@dataclass(eq=False)
class Flag(Generic[T]):
    """One flag of a command, called as its attribute, with dashes: ``dry_run`` is ``--dry-run``, ``for_`` is ``--for``.

    ``read`` raises ValueError for text it does not understand. ``value`` is what the help calls its values, empty for
    a switch. ``bare`` is the text that a flag given without any stands for (``--cascade``); ``choices`` limits values;
    ``joined`` puts the values of a repeated flag together, of which else the last one counts. Whoever gives one that
    is ``deprecated`` is told so.
    """

    help: str
    read: Callable[[str], T]
    default: T
    value: str
    short: str = ""
    bare: str = ""
    choices: tuple[str, ...] = ()
    joined: Callable[[T, T], T] | None = None
    deprecated: str = ""
    name: str = ""

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.name = attribute.rstrip("_").replace("_", "-")

    @overload
    def __get__(self, flags: None, owner: type) -> Self: ...

    @overload
    def __get__(self, flags: Flags, owner: type) -> T: ...

    def __get__(self, flags: Flags | None, owner: type) -> Self | T:
        if flags is None:
            return self
        value: T = flags.values.get(self, self.default)
        return value

    @property
    def takes_value(self) -> bool:
        """Whether the next word is its value."""
        return not self.bare

    def after(self, before: T, value: T) -> T:
        """Return what the flag says when ``value`` is given and ``before`` was."""
        return value if self.joined is None else self.joined(before, value)


def _parts(written: str) -> tuple[str, ...]:
    return tuple(part for part in written.split(",") if part)


def _boolean(written: str) -> bool:
    if written.lower() in ("true", "1", "t"):
        return True
    if written.lower() in ("false", "0", "f"):
        return False
    raise ValueError("want true or false")


def _number(written: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", written):
        raise ValueError("not a whole number")
    return int(written)


def _seconds(written: str) -> float:
    """A duration as Go writes it (``1m30s``); a bare number counts seconds."""
    from rollplane_machinery.codec.time_text import parse_duration  # not needed by every command

    if re.fullmatch(r"[0-9]+", written):
        return float(written)
    return parse_duration(written) / 1e9


def _some_seconds(written: str) -> float:
    if (found := _seconds(written)) <= 0:
        raise ValueError("want more than nothing")
    return found


def text(help: str, short: str = "", *, default: str = "", bare: str = "", choices: Sequence[str] = ()) -> Flag[str]:  # noqa: A002 - as Flag has it
    """Return a flag whose value is any text, or one of ``choices``."""
    return Flag(help, str, default, "string", short, bare, tuple(choices))


def texts(help: str, short: str = "") -> Flag[tuple[str, ...]]:  # noqa: A002
    """Return a flag that may be given several times; several values may also be joined by commas."""
    return Flag(help, _parts, (), "strings", short, joined=lambda before, value: before + value)


def lines(help: str) -> Flag[tuple[str, ...]]:  # noqa: A002
    """Return a flag that may be given several times, each time with one text."""
    return Flag(help, lambda written: (written,), (), "string", joined=lambda before, value: before + value)


def switch(help: str, short: str = "", *, default: bool = False, deprecated: str = "") -> Flag[bool]:  # noqa: A002
    """Return a flag that is on or off."""
    return Flag(help, _boolean, default, "", short, bare="true", deprecated=deprecated)


def number(help: str, *, default: int) -> Flag[int]:  # noqa: A002
    """Return a flag whose value is a whole number."""
    return Flag(help, _number, default, "int")


def optional_number(help: str) -> Flag[int | None]:  # noqa: A002
    """Return a flag whose value is a whole number, None when it is not given."""
    return Flag(help, _number, None, "int")


def seconds(help: str, *, default: float = 0.0) -> Flag[float]:  # noqa: A002
    """Return a flag whose value is a duration, read as seconds."""
    return Flag(help, _seconds, default, "duration")


def optional_seconds(help: str) -> Flag[float | None]:  # noqa: A002
    """Return a flag whose value is a duration longer than nothing, read as seconds; None when it is not given."""
    return Flag(help, _some_seconds, None, "duration")


class Flags:
    """A command line that was read: its ``words``, and as attributes every flag's value; with what every command takes.

    ``given`` are the flags that were given, in order, with the text they were given as; ``deprecated`` those of them
    that are to go.
    """

    server = text(
        "Address of the control plane, host:port; else $ROLLPLANE_SERVER, else of .rollplane here, else 127.0.0.1:7070",
        "s",
    )
    namespace = text("Namespace of the objects", "n")
    request_timeout = seconds("How long a single request may take, such as 5s; 0 is the default of ten seconds")
    help = switch("Tell how the command is written", "h")

    def __init__(self, words: Sequence[str] = (), given: Sequence[tuple[Flag[Any], str]] = ()) -> None:
        self.words = tuple(words)
        self.given = tuple((flag.name, written) for flag, written in given)
        self.deprecated = tuple(dict.fromkeys(flag for flag, _ in given if flag.deprecated))
        self.values: dict[Flag[Any], Any] = {}
        for flag, written in given:
            self.values[flag] = flag.after(self.values.get(flag, flag.default), flag.read(written))


def flags_of(flags: type[Flags]) -> tuple[Flag[Any], ...]:
    """Return every flag that a line read by ``flags`` may hold: its own, those it inherits, those of every command."""
    return tuple(
        member
        for each in flags.__mro__
        for attribute, member in vars(each).items()
        if isinstance(member, Flag) and getattr(flags, attribute) is member  # not declared anew further down
    )


GLOBAL_FLAGS = flags_of(Flags)


def own_flags_of(flags: type[Flags]) -> tuple[Flag[Any], ...]:
    """Return the flags of ``flags`` that not every command has."""
    return tuple(flag for flag in flags_of(flags) if flag not in GLOBAL_FLAGS)
