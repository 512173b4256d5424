"""Which objects a command is about: ``deploy/web``, ``pods web-1 web-2``, ``deploy,rs``, ``all``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollplane_cli.failures import CommandError
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import KINDS, Kind, by_word

if TYPE_CHECKING:
    from rollplane_cli.session import Session
    from rollplane_machinery.definitions import Customs

ALL = "all"


class UnknownKindError(CommandError):
    """A word means no kind, as far as is known."""


@frozen
class Target:
    """One object, or with an empty name all objects of a kind."""

    kind: Kind
    name: str = ""


@frozen
class Targets:
    """What the words mean, in their order. ``kinds`` names each kind once."""

    items: tuple[Target, ...]

    @property
    def are_named(self) -> bool:
        return any(target.name for target in self.items)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(dict.fromkeys(target.kind for target in self.items))


async def find_targets(session: Session, words: Sequence[str]) -> Targets:
    """Return what ``words`` mean, as ``parse_targets``; the plane is asked for kinds that are not built in."""
    types = words[0].split(",") if words else []
    try:
        return parse_targets(words, await session.customs() if ALL in types else None)
    except UnknownKindError:
        return parse_targets(words, await session.customs())


def parse_targets(words: Sequence[str], customs: Customs | None = None) -> Targets:
    """Return what ``words`` mean; empty for none. Raises CommandError for words that mean nothing."""
    if any("/" in word for word in words):
        return Targets(tuple(_typed(word, customs) for word in words))
    types, *names = words or [""]
    kinds = [kind for word in types.split(",") if word for kind in _kinds(word, customs)]
    if not names:
        return Targets(tuple(Target(kind) for kind in dict.fromkeys(kinds)))
    return Targets(tuple(Target(kind, name) for kind in kinds for name in names))


def _typed(word: str, customs: Customs | None) -> Target:
    """``deploy/web``."""
    if word.count("/") > 1:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    type_, slash, name = word.partition("/")
    if not slash:
        raise CommandError("where one argument is written as resource/name, all of them must be")
    if not type_ or not name or "," in type_:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return Target(kind_of(type_, customs), name)


def _kinds(word: str, customs: Customs | None) -> list[Kind]:
    more = list(customs.kinds) if customs is not None else []
    if word == ALL:
        return sorted((kind for kind in (*KINDS, *more) if kind.in_all), key=lambda kind: (kind.group, kind.plural))
    try:
        return [kind_of(word, customs)]
    except UnknownKindError:
        if of_category := [kind for kind in more if word in kind.categories]:
            return [*of_category]
        raise


def kind_of(word: str, customs: Customs | None = None) -> Kind:
    """Return the kind meant by ``word``; raises UnknownKindError."""
    try:
        return by_word(word) if customs is None else customs.by_word(word)
    except NotFoundError as exc:
        raise UnknownKindError(exc.message) from exc
