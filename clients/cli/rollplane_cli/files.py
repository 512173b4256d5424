"""Manifests from files, folders and standard input. All are read before anything is sent.

What cannot be read is told, and does not keep the rest back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rollplane_cli.command import FileFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.session import Session
from rollplane_machinery.api import Key
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject, kind_of

if TYPE_CHECKING:
    from rollplane_machinery.codec import Manifest
    from rollplane_machinery.codec.manifests import Loaded

STDIN = "-"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@frozen
class Files:
    """What files hold; ``failed`` says that some of it could not be read, which has been told already."""

    manifests: tuple[Manifest, ...]
    failed: bool


async def read_files(session: Session, flags: FileFlags, purpose: str = "") -> Files:
    """Return the objects of all ``-f``, a line told for each problem of any file; ``purpose`` is what they are for.

    Of custom kinds are those that the plane knows, and those that the files define themselves.

    Raises CommandError for a path that is not there, and when there is no object at all.
    """
    texts: dict[str, str | bytes] = {}
    problems: list[str] = []
    for source in _sources(flags.filename, recursive=flags.recursive):
        try:
            texts[source] = _read(session, source)
        except OSError as exc:
            problems.append(f"cannot read {source}: {exc.strerror}")
    manifests: list[Manifest] = []
    for source, loaded in (await _loaded(session, texts)).items():
        manifests += loaded.manifests
        problems += [f"{source}: {problem}" for problem in loaded.problems]
    for problem in problems:
        session.console.warn(f"error: {problem}")
    if not manifests and not problems:
        raise CommandError(f"no objects passed to {purpose}" if purpose else "no objects passed")
    return Files(tuple(manifests), bool(problems))


async def _loaded(session: Session, texts: Mapping[str, str | bytes]) -> dict[str, Loaded]:
    """Read the files; where one has kinds that are not built in, once more with those that are custom."""
    from rollplane_machinery.codec import read_manifests  # with YAML, which few commands have to do with
    from rollplane_machinery.definitions import defined

    found = {source: read_manifests(text, source) for source, text in texts.items()}
    if not any(problem.is_unknown_kind for loaded in found.values() for problem in loaded.problems):
        return found
    objects = (manifest.object for loaded in found.values() for manifest in loaded.manifests)
    customs = {**defined(objects), **(await session.customs()).by_type}
    return {source: read_manifests(text, source, customs=customs) for source, text in texts.items()}


def contents(session: Session, filenames: Iterable[str]) -> Iterator[tuple[str, str | bytes]]:
    """Yield name and content of each file, of a folder those of its manifests; raises CommandError for none such."""
    for source in list(_sources(filenames, recursive=False)):
        yield source, content(session, source)


def content(session: Session, source: str) -> str | bytes:
    """Return what a file holds, or standard input; raises CommandError naming it."""
    try:
        return _read(session, source)
    except OSError as exc:
        raise CommandError(f"cannot read {source}: {exc.strerror}") from exc


def _sources(filenames: Iterable[str], *, recursive: bool) -> Iterator[str]:
    """Yield the paths of all files, and STDIN; raises CommandError before anything is read."""
    for filename in filenames:
        if filename == STDIN:
            yield STDIN
        elif "://" in filename:
            raise CommandError(f"{filename}: files are read from disk only; fetch it, and pipe it into -f -")
        else:
            yield from map(str, _paths(Path(filename), recursive=recursive))


def _read(session: Session, source: str) -> str | bytes:
    return session.console.read() if source == STDIN else Path(source).read_bytes()


def _paths(path: Path, *, recursive: bool) -> list[Path]:
    """The file itself, or a folder's manifests by name."""
    if not path.exists():
        raise CommandError(f'the path "{path}" does not exist')
    if not path.is_dir():
        return [path]
    found = path.rglob("*") if recursive else path.iterdir()
    manifests = sorted(each for each in found if each.suffix in _SUFFIXES and each.is_file())
    if not manifests:
        raise CommandError(f"error reading [{path}]: recognized file extensions are [.json .yaml .yml]")
    return manifests


def key_in(session: Session, message: ApiObject) -> Key:
    """Return the key of an object from a file, in the session's namespace unless it names its own.

    Raises CommandError when it names another than the one ``-n`` asked for.
    """
    kind, own = kind_of(message), str(message.metadata.namespace)
    if not kind.namespaced:
        return Key(kind, "", message.metadata.name)
    if own and session.namespace_given and own != session.namespace:
        raise CommandError(
            f'the namespace from the provided object "{own}" does not match the namespace "{session.namespace}". '
            f"You must pass '--namespace={own}' to perform this operation."
        )
    return Key(kind, own or session.namespace, message.metadata.name)


def place(session: Session, message: ApiObject) -> Key:
    """Write the namespace into an object from a file, and return its key; raises as ``key_in``."""
    key = key_in(session, message)
    if key.namespace:
        message.metadata.namespace = key.namespace
    else:
        message.metadata.ClearField("namespace")
    return key
