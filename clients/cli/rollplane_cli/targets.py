"""Which objects a command is about: ``deploy/web``, ``pods web-1 web-2``, ``deploy,rs``, ``all``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_cli.failures import CommandError
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import KINDS, Kind, by_word

ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """One object, or with an empty name all objects of a kind."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the words mean, in their order. ``kinds`` names each kind once."""

    items: tuple[Target, ...]

    @property
    def are_named(self) -> bool:
        return any(target.name for target in self.items)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(dict.fromkeys(target.kind for target in self.items))


def parse_targets(words: Sequence[str]) -> Targets:
    """Return what ``words`` mean; empty for none. Raises CommandError for words that mean nothing."""
    if any("/" in word for word in words):
        return Targets(tuple(_typed(word) for word in words))
    types, *names = words or [""]
    kinds = [kind for word in types.split(",") if word for kind in _kinds(word)]
    if not names:
        return Targets(tuple(Target(kind) for kind in dict.fromkeys(kinds)))
    return Targets(tuple(Target(kind, name) for kind in kinds for name in names))


def _typed(word: str) -> Target:
    """``deploy/web``."""
    if word.count("/") > 1:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    type_, slash, name = word.partition("/")
    if not slash:
        raise CommandError("where one argument is written as resource/name, all of them must be")
    if not type_ or not name or "," in type_:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return Target(kind_of(type_), name)


def _kinds(word: str) -> list[Kind]:
    if word == ALL:
        return sorted((kind for kind in KINDS if kind.in_all), key=lambda kind: (kind.group, kind.plural))
    return [kind_of(word)]


def kind_of(word: str) -> Kind:
    """Return the kind meant by ``word``; raises CommandError."""
    try:
        return by_word(word)
    except NotFoundError as exc:
        raise CommandError(exc.message) from exc
