"""The answer to a write: one line, or the object."""

from __future__ import annotations

from rollplane_cli.command import DryRunFlags, WriteFlags
from rollplane_cli.output.documents import document, render
from rollplane_cli.session import Session
from rollplane_machinery.api import Key, WriteOptions, WriteResult
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_printing.sentences import path_of

_DRY_RUNS = {"client": " (dry run)", "server": " (server dry run)"}


def answer(flags: WriteFlags, session: Session, key: Key, verb: str, message: ApiObject | None = None) -> None:
    """Print ``deployment.apps/web scaled``, or with ``-o`` the name or the object alone."""
    form = flags.output
    path = path_of(key.kind, key.name)
    if form == "name":
        session.console.say(path)
    elif form and message is not None:
        session.console.write(render(document(message), form))
    else:
        session.console.say(f"{path} {verb}{dry_run_suffix(flags)}")


def warn(session: Session, result: WriteResult) -> None:
    """Print what the server warns of, beside the answer."""
    for warning in result.warnings:
        session.console.warn(f"Warning: {warning}")


def dry_run_suffix(flags: DryRunFlags) -> str:
    """Return what tells that nothing was stored."""
    return _DRY_RUNS.get(flags.dry_run, "")


def is_client_dry_run(flags: DryRunFlags) -> bool:
    """Whether nothing is to be sent."""
    return flags.dry_run == "client"


def write_options(flags: DryRunFlags, manager: str) -> WriteOptions:
    """Return the options of a write in the name of ``rollplane-<manager>``."""
    return WriteOptions(field_manager=f"rollplane-{manager}", dry_run=flags.dry_run == "server")


def is_same(before: ApiObject, after: ApiObject) -> bool:
    """Whether a write changed nothing; a dry run leaves the resource version, so that alone does not tell."""
    return _without_version(before) == _without_version(after)


def _without_version(message: ApiObject) -> ApiObject:
    bare = Encoded.of(message).parse()
    bare.metadata.ClearField("resource_version")
    return bare
