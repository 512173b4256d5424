"""``rollplane create``."""

from __future__ import annotations

from rollplane.core.v1 import Namespace
from rollplane_cli.choosing import report_failure
from rollplane_cli.command import Command, FileFlags, RecordFlags, WriteFlags
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import place, read_files
from rollplane_cli.output.answers import answer, is_client_dry_run, warn, write_options
from rollplane_cli.recording import note
from rollplane_cli.session import Session
from rollplane_cli.targets import kind_of
from rollplane_machinery.api import Create, Key
from rollplane_machinery.errors import InvalidError, RollplaneError
from rollplane_machinery.kinds import NAMESPACE, ApiObject, Encoded
from rollplane_printing.sentences import error_lines


class CreateFlags(FileFlags, WriteFlags, RecordFlags):
    """Flags of ``create``."""


async def run(flags: CreateFlags, session: Session) -> int:
    """Create the objects of files, or a namespace."""
    if flags.words:
        return int(await _create_all(flags, session, [("", _namespace(flags))]))
    if not flags.filename:
        raise UsageError("must specify -f")
    files = await read_files(session, flags, "create")
    failed = await _create_all(flags, session, [(manifest.source, manifest.object) for manifest in files.manifests])
    return int(failed or files.failed)


def _namespace(flags: CreateFlags) -> Namespace:
    """``create namespace NAME``, the one kind that is quicker said than written down."""
    type_, *names = flags.words
    if kind_of(type_) is not NAMESPACE or len(names) != 1:
        raise UsageError("only -f FILE and namespace NAME can be created")
    namespace = Namespace()
    namespace.metadata.name = names[0]
    return namespace


async def _create_all(flags: CreateFlags, session: Session, objects: list[tuple[str, ApiObject]]) -> bool:
    """Create one object after the other; returns whether one failed."""
    failed = False
    for source, message in objects:
        try:
            await _create(flags, session, message)
        except InvalidError as exc:
            session.report(exc)
            failed = True
        except (RollplaneError, CommandError) as exc:
            report_failure(session, _in_file(exc, source))
            failed = True
    return failed


def _in_file(error: RollplaneError | CommandError, source: str) -> RollplaneError | CommandError:
    """An answer of the server, with the file that was tried."""
    if isinstance(error, CommandError) or not source or not error.resource:
        return error
    return CommandError("\n".join(error_lines(error, f'error when creating "{source}"')), whole=True)


async def _create(flags: CreateFlags, session: Session, message: ApiObject) -> None:
    key = place(session, message)
    note(message.metadata.annotations, "create", flags)
    if not is_client_dry_run(flags):
        write = Create(Encoded.of(message), write_options(flags, "create"))
        result = await (await session.api()).write(write)
        warn(session, result)
        if result.object is not None:
            message = result.object.parse()
            key = Key(key.kind, key.namespace, message.metadata.name)
    answer(flags, session, key, "created", message)


CREATE = Command(
    "(-f FILE | namespace NAME)",
    "Create objects; those that exist already are left alone and reported.",
    CreateFlags,
    run,
)
