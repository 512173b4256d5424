"""``rollplane apply``."""

from __future__ import annotations

from rollplane_cli.choosing import report_failure
from rollplane_cli.command import Command, FileFlags, RecordFlags, WriteFlags
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import place, read_files
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.output.answers import answer, is_client_dry_run, write_options
from rollplane_cli.recording import change_cause
from rollplane_cli.session import Session
from rollplane_client.applying import live_object, write_to_apply
from rollplane_machinery.api import Create
from rollplane_machinery.codec import Manifest
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.patch.last_applied import was_applied
from rollplane_machinery.well_known import CHANGE_CAUSE, LAST_APPLIED


class ApplyFlags(FileFlags, WriteFlags, RecordFlags):
    """Flags of ``apply``."""


async def run(flags: ApplyFlags, session: Session) -> int:
    """Create what is absent, change what differs, and say of each object which it was."""
    if flags.words:
        raise UsageError(f"Unexpected args: [{' '.join(flags.words)}]")
    if not flags.filename:
        raise UsageError("must specify -f")
    files = read_files(session, flags, "apply")
    failed = files.failed
    for manifest in files.manifests:
        try:
            await _apply(flags, session, manifest)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            failed = True
    return int(failed)


async def _apply(flags: ApplyFlags, session: Session, manifest: Manifest) -> None:
    key = place(session, manifest.object)
    if not key.name:
        raise CommandError(f"{manifest.source}: line {manifest.line}: metadata.name is required to apply an object")
    if (cause := change_cause("apply", flags)) is not None:
        manifest = manifest.with_annotation(CHANGE_CAUSE, cause)
    api = await session.api()
    live = await live_object(api, key)
    if live is not None and not was_applied(live):
        session.console.warn(
            f"Warning: resource {key.kind.plural}/{key.name} is missing the {LAST_APPLIED} annotation which is "
            f"required by {PROGRAM} apply. {PROGRAM} apply should only be used on resources created declaratively by "
            f"{PROGRAM} apply. The missing annotation will be patched automatically."
        )
    write = write_to_apply(key, manifest, live, write_options(flags, "client-side-apply"))
    if write is None:
        answer(flags, session, key, "unchanged", live)
        return
    stored = manifest.object
    if not is_client_dry_run(flags):
        result = await api.write(write)
        stored = result.object.parse() if result.object else stored
    answer(flags, session, key, "created" if isinstance(write, Create) else "configured", stored)


APPLY = Command(
    "-f FILE",
    "Bring objects to what files, folders or standard input say; create those that are absent.",
    ApplyFlags,
    run,
)
