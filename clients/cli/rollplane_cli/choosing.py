"""From words, selectors and files to the objects a command acts on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rollplane_cli.command import ChoosingFlags, FileFlags, SelectorFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_cli.targets import Targets, find_targets
from rollplane_machinery.api import Key, ListQuery
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject, Encoded


@frozen
class Found:
    """An object as the server has it now."""

    key: Key
    encoded: Encoded

    def parse(self) -> ApiObject:
        """Return the message."""
        return self.encoded.parse()


@dataclass(slots=True)
class Chosen:
    """What was found; ``failed`` says that something asked for was not, which has been told already."""

    found: list[Found] = field(default_factory=list)
    failed: bool = False

    @property
    def exit_code(self) -> int:
        return int(self.failed)


async def choose(
    flags: ChoosingFlags,
    session: Session,
    words: Sequence[str] | None = None,
    *,
    nothing_named: str = "required resource not specified",
    type_is_enough: bool = False,
) -> Chosen:
    """Return the objects meant by the words (by default all of them), ``-f``, ``-l`` and ``--all``.

    Where a ``type_is_enough``, one without a name means all its objects. What is absent is reported and skipped. Raises
    CommandError with ``nothing_named`` when nothing at all was.
    """
    if flags.filename:
        return await fetch_files(session, flags)
    targets = await find_targets(session, flags.words if words is None else words)
    if not targets.items:
        raise CommandError(nothing_named)
    if targets.are_named:
        refuse_selector(flags)
        return await fetch(session, keys_of(session, targets))
    if not (flags.selector or flags.all or type_is_enough):
        raise CommandError("resource(s) were provided, but no name was specified")
    return await _select(flags, session, targets)


def refuse_selector(flags: SelectorFlags) -> None:
    """Raise CommandError when names and a selector are both given."""
    if flags.selector:
        raise CommandError("name cannot be provided when a selector is specified")


def keys_of(session: Session, targets: Targets) -> list[Key]:
    """Return the keys of named targets in the session's namespace."""
    return [Key(each.kind, session.namespace if each.kind.namespaced else "", each.name) for each in targets.items]


async def fetch_files(session: Session, flags: FileFlags, *, ignore_absent: bool = False) -> Chosen:
    """Read the objects that files name; as ``fetch``, and what is wrong with the files is reported too."""
    from rollplane_cli.files import key_in, read_files  # most commands name no file

    files = await read_files(session, flags)
    keys: list[Key] = []
    failed = files.failed
    for manifest in files.manifests:
        try:
            keys.append(key_in(session, manifest.object))
        except CommandError as exc:
            report_failure(session, exc)
            failed = True
    chosen = await fetch(session, keys, ignore_absent=ignore_absent)
    chosen.failed |= failed
    return chosen


async def fetch(session: Session, keys: Sequence[Key], *, ignore_absent: bool = False) -> Chosen:
    """Read objects one by one; what cannot be read is reported, unless it is absent and that is all right."""
    api = await session.api()
    chosen = Chosen()
    for key in keys:
        try:
            chosen.found.append(Found(key, await api.get(key)))
        except NotFoundError as exc:
            if not ignore_absent:
                session.report(exc)
                chosen.failed = True
    return chosen


async def _select(flags: ChoosingFlags, session: Session, targets: Targets) -> Chosen:
    api = await session.api()
    chosen = Chosen()
    for kind in targets.kinds:
        namespace = session.namespace if kind.namespaced else ""
        query = ListQuery(kind, namespace, flags.selector)
        chosen.found += [Found(key_of(each), each) for each in (await list_all(api, query)).objects]
    if not chosen.found:
        inside = any(kind.namespaced for kind in targets.kinds)
        session.console.warn(
            f"No resources found in {session.namespace} namespace." if inside else "No resources found"
        )
    return chosen


def report_failure(session: Session, error: RollplaneError | CommandError) -> None:
    """Tell of one object's failure; the others of the command are still done."""
    if isinstance(error, CommandError):
        session.console.warn(error.line)
    else:
        session.report(error)
