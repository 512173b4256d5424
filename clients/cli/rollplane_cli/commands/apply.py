"""``rollplane apply``."""

from __future__ import annotations

import json
from dataclasses import replace

from rollplane_cli.choosing import report_failure
from rollplane_cli.command import Command, FileFlags, RecordFlags, WriteFlags
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import place, read_files
from rollplane_cli.flags import switch, text
from rollplane_cli.help_text import PROGRAM
from rollplane_cli.output.answers import answer, is_client_dry_run, warn, write_options
from rollplane_cli.recording import change_cause
from rollplane_cli.session import Session
from rollplane_client.applying import live_object, write_to_apply
from rollplane_machinery.api import Api, Create, Key, Patch, PatchType
from rollplane_machinery.codec import Manifest
from rollplane_machinery.errors import CauseReason, ConflictError, RollplaneError
from rollplane_machinery.patch.last_applied import was_applied
from rollplane_machinery.well_known import CHANGE_CAUSE, LAST_APPLIED


class ApplyFlags(FileFlags, WriteFlags, RecordFlags):
    """Flags of ``apply``."""

    server_side = switch("Let the server merge: each field has owners, and what others own is not changed")
    field_manager = text("Whose fields these are, with --server-side", default="rollplane")
    force_conflicts = switch("Take fields from their other owners, with --server-side")


async def run(flags: ApplyFlags, session: Session) -> int:
    """Create what is absent, change what differs, and say of each object which it was."""
    _check(flags)
    files = await read_files(session, flags, "apply")
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
    if flags.server_side:
        await _apply_server_side(flags, session, api, key, manifest)
        return
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
        warn(session, result)
        stored = result.object.parse() if result.object else stored
    answer(flags, session, key, "created" if isinstance(write, Create) else "configured", stored)


def _check(flags: ApplyFlags) -> None:
    if flags.words:
        raise UsageError(f"Unexpected args: [{' '.join(flags.words)}]")
    if not flags.filename:
        raise UsageError("must specify -f")
    if flags.force_conflicts and not flags.server_side:
        raise UsageError("--force-conflicts only works with --server-side")
    if flags.server_side and is_client_dry_run(flags):
        raise UsageError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")


async def _apply_server_side(flags: ApplyFlags, session: Session, api: Api, key: Key, manifest: Manifest) -> None:
    options = replace(write_options(flags, ""), field_manager=flags.field_manager)
    metadata = {**manifest.written["metadata"], **({"namespace": key.namespace} if key.namespace else {})}
    document = json.dumps({**manifest.written, "metadata": metadata}).encode()
    patch = Patch(key, PatchType.APPLY, document, options=options, force=flags.force_conflicts)
    try:
        result = await api.write(patch)
    except ConflictError as exc:
        if any(cause.reason is CauseReason.FIELD_MANAGER_CONFLICT for cause in exc.causes):
            raise CommandError(f"{exc.message}\n{_WAYS_OUT}") from exc
        raise
    warn(session, result)
    stored = result.object.parse() if result.object else manifest.object
    answer(flags, session, key, "serverside-applied", stored)


_WAYS_OUT = """\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""
"""What kubectl says of a conflict."""


APPLY = Command(
    "-f FILE",
    "Bring objects to what files, folders or standard input say; create those that are absent.",
    ApplyFlags,
    run,
)
