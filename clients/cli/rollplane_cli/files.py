"""Manifests from files, folders and standard input. All are read, and found to be in order, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rollplane_cli.command import FileFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.session import Session
from rollplane_machinery.api import Key
from rollplane_machinery.codec import Manifest, read_manifests
from rollplane_machinery.kinds import TYPE_URL_PREFIX, ApiObject, Kind, by_type_url

STDIN = "-"
_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def read_files(session: Session, flags: FileFlags) -> list[Manifest]:
    """Return the objects of all ``-f``; raises CommandError with a line for each problem of any file."""
    manifests: list[Manifest] = []
    problems: list[str] = []
    for source, text in _texts(session, flags):
        loaded = read_manifests(text, source)
        manifests += loaded.manifests
        problems += [f"error: {source}: {problem}" for problem in loaded.problems]
    if problems:
        raise CommandError("\n".join(problems), whole=True)
    if not manifests:
        raise CommandError("no objects passed")
    return manifests


def _texts(session: Session, flags: FileFlags) -> Iterator[tuple[str, str]]:
    for filename in flags.filename:
        if filename == STDIN:
            yield STDIN, session.console.input.read()
            continue
        for path in _paths(Path(filename), recursive=flags.recursive):
            yield str(path), _read(path)


def _paths(path: Path, *, recursive: bool) -> list[Path]:
    """The file itself, or a folder's manifests by name."""
    if not path.exists():
        raise CommandError(f'the path "{path}" does not exist')
    if not path.is_dir():
        return [path]
    found = path.rglob("*") if recursive else path.iterdir()
    manifests = sorted(each for each in found if each.suffix in _SUFFIXES and each.is_file())
    if not manifests:
        raise CommandError(f"no .yaml, .yml or .json file in {path}")
    return manifests


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"cannot read {path}: {exc}") from exc


def kind_in(message: ApiObject) -> Kind:
    """Return the kind of a message."""
    return by_type_url(TYPE_URL_PREFIX + message.DESCRIPTOR.full_name)


def key_in(session: Session, message: ApiObject) -> Key:
    """Return the key of an object from a file, in the session's namespace unless it names its own.

    Raises CommandError when it names another than the one ``-n`` asked for.
    """
    kind, own = kind_in(message), str(message.metadata.namespace)
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
