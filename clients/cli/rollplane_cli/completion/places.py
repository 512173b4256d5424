"""What may stand at the cursor of an unfinished command line. Pure: names of objects are left to who can ask for them.

What a command's words mean is read from its usage: ``TYPE`` stands for objects by type and name, ``NODE``, ``POD`` and
``OLD`` (a ReplicationController) for names of one kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rollplane_cli.command import Command
from rollplane_cli.flags import GLOBAL_FLAGS, Flag, flags_of
from rollplane_cli.main import split_command
from rollplane_cli.registry import commands
from rollplane_machinery import kinds
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import KINDS, Kind, by_word

_ROLLED_OUT = (kinds.DEPLOYMENT, kinds.STATEFUL_SET, kinds.DAEMON_SET)
_MAKERS = (*_ROLLED_OUT, kinds.REPLICA_SET, kinds.REPLICATION_CONTROLLER)

_KINDS: Mapping[str, tuple[Kind, ...]] = MappingProxyType(
    {
        "rollout status": _ROLLED_OUT,
        "rollout history": _ROLLED_OUT,
        "rollout undo": _ROLLED_OUT,
        "rollout restart": _ROLLED_OUT,
        "rollout pause": (kinds.DEPLOYMENT,),
        "rollout resume": (kinds.DEPLOYMENT,),
        "rollout plot": (*_ROLLED_OUT, kinds.REPLICATION_CONTROLLER),
        "scale": tuple(kind for kind in KINDS if kind.has_scale),
        "set image": (*_MAKERS, kinds.POD),
        "why": _MAKERS,
    }
)
"""The kinds that commands are about; the others take any."""

_ONE_KIND: Mapping[str, Kind] = MappingProxyType(
    {"NODE": kinds.NODE, "POD": kinds.POD, "OLD": kinds.REPLICATION_CONTROLLER}
)
_VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType({"types": ("Normal", "Warning")})


@dataclass(frozen=True, slots=True)
class Place:
    """``words`` may stand there, and the names of objects of ``names_of``, each behind ``prefix``, but not ``taken``.

    ``current`` is what has been typed of the word already.
    """

    current: str
    words: tuple[str, ...] = ()
    names_of: tuple[Kind, ...] = ()
    prefix: str = ""
    taken: frozenset[str] = frozenset()


def place_at(line: Sequence[str]) -> Place:
    """Return what may stand at the end of ``line``: its words behind the program, the last one unfinished or empty."""
    *done, current = line or [""]
    # bash takes "--output=json" for three words.
    done = [word for word in done if word != "="]
    current = "" if current == "=" else current
    name, rest = split_command(done)
    entry = commands().get(name)
    command = entry.load() if entry else None
    flags = flags_of(command.flags) if command else GLOBAL_FLAGS
    if (flag := _awaiting_value(done, flags)) is not None:
        return _value_of(flag, current)
    if current.startswith("-"):
        return _flag_at(current, flags)
    if command is None:
        return Place(current, _next_words(name))
    return _word_of(name, command, _positional(rest, flags), current)


def value_given(line: Sequence[str], name: str) -> str:
    """Return the value that a global flag has been given in ``line``, empty for none."""
    flag = next(each for each in GLOBAL_FLAGS if each.name == name)
    spellings = (f"--{flag.name}", f"-{flag.short}")
    words = [word for word in line if word != "="]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in spellings:
            return following
        if word.startswith(f"--{flag.name}="):
            return word.partition("=")[2]
    return ""


def _awaiting_value(done: Sequence[str], flags: Sequence[Flag[Any]]) -> Flag[Any] | None:
    """The flag whose value comes next."""
    last = done[-1] if done else ""
    return next((flag for flag in flags if flag.takes_value and last in (f"--{flag.name}", f"-{flag.short}")), None)


def _value_of(flag: Flag[Any], current: str, prefix: str = "") -> Place:
    if flag.name == "namespace":
        return Place(current, names_of=(kinds.NAMESPACE,), prefix=prefix)
    if flag.name == "for":
        return _typed(current, KINDS)
    return Place(current, tuple(f"{prefix}{value}" for value in _VALUES.get(flag.name, flag.choices)))


def _flag_at(current: str, flags: Sequence[Flag[Any]]) -> Place:
    name, equals, _ = current.partition("=")
    flag = next((each for each in flags if f"--{each.name}" == name), None)
    if equals and flag is not None:
        return _value_of(flag, current, f"{name}=")
    return Place(current, tuple(f"--{each.name}" for each in flags))


def _next_words(name: str) -> tuple[str, ...]:
    """The words that make ``name``, a group, a command or nothing yet, a command."""
    ahead = f"{name} " if name else ""
    return tuple(dict.fromkeys(each.removeprefix(ahead).split()[0] for each in commands() if each.startswith(ahead)))


def _positional(rest: Sequence[str], flags: Sequence[Flag[Any]]) -> list[str]:
    """The words of the line that are neither flags nor their values."""
    found, previous = [], ""
    for word in rest:
        if not word.startswith("-") and _awaiting_value([previous], flags) is None:
            found.append(word)
        previous = word
    return found


def _word_of(name: str, command: Command[Any], before: Sequence[str], current: str) -> Place:
    if name == "completion":
        return Place(current, () if before else tuple(command.usage.strip("()").split(" | ")))
    if command.is_offline:
        return Place(current, () if before else _next_words(name))
    for token, kind in _ONE_KIND.items():
        if token in command.usage:
            return Place(current, names_of=(kind,), taken=frozenset(before))
    if "TYPE" not in command.usage or "--for" in command.usage:
        return Place(current, () if before else _next_words(name))
    allowed = _KINDS.get(name, KINDS)
    if "/" in current or (before and "/" in before[0]):
        return _typed(current, allowed)
    if not before:
        return Place(current, tuple(kind.plural for kind in allowed))
    if len(before) > 1 and "=" in command.usage:
        return Place(current)
    return Place(current, names_of=_known(before[0].split(",")), taken=frozenset(before[1:]))


def _typed(current: str, allowed: Sequence[Kind]) -> Place:
    """``TYPE/NAME``: first the types, each with its slash, then names."""
    type_, slash, _ = current.partition("/")
    if not slash:
        return Place(current, tuple(f"{kind.singular}/" for kind in allowed))
    return Place(current, names_of=_known([type_]), prefix=f"{type_}/")


def _known(words: Sequence[str]) -> tuple[Kind, ...]:
    found = []
    for word in words:
        try:
            found.append(by_word(word))
        except NotFoundError:
            continue  # what is no type has no names to offer
    return tuple(found)
