"""``rollplane apply``."""

from __future__ import annotations

import json

from rollplane_cli.choosing import report_failure
from rollplane_cli.command import Command, FileFlags, WriteFlags
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.files import place, read_files
from rollplane_cli.manifest_json import annotate, apply_patch, was_applied
from rollplane_cli.output.answers import answer, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_machinery.api import Create, Key, Patch, PatchType, Write
from rollplane_machinery.codec import Manifest
from rollplane_machinery.deployments import LAST_APPLIED
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_machinery.kinds import ApiObject, Encoded

_MANAGER = "client-side-apply"


class ApplyFlags(FileFlags, WriteFlags):
    """Flags of ``apply``."""


async def run(flags: ApplyFlags, session: Session) -> int:
    """Create what is absent, change what differs, and say of each object which it was."""
    if flags.words:
        raise UsageError(f"unexpected arguments: {' '.join(flags.words)}")
    if not flags.filename:
        raise UsageError("must specify one of -f and -k")
    manifests = read_files(session, flags)
    for manifest in manifests:
        _check(session, manifest)
    failed = False
    for manifest in manifests:
        try:
            await _apply(flags, session, manifest.object)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            failed = True
    return int(failed)


def _check(session: Session, manifest: Manifest) -> None:
    """Refuse, before anything is sent, what could not be applied."""
    if not place(session, manifest.object).name:
        raise CommandError(f"{manifest.source}: line {manifest.line}: metadata.name is required to apply an object")


async def _apply(flags: ApplyFlags, session: Session, manifest: ApiObject) -> None:
    key = place(session, manifest)
    annotate(manifest)
    api = await session.api()
    try:
        live = (await api.get(key)).parse()
    except NotFoundError as exc:
        if exc.name != key.name:
            raise
        create = Create(Encoded.of(manifest), write_options(flags, _MANAGER))
        await _write(flags, session, key, create, "created", manifest)
        return
    if not was_applied(live):
        session.console.warn(
            f"Warning: {key.kind.plural} {key.name} has no annotation {LAST_APPLIED}, since it was not made by apply; "
            "it is added now."
        )
    patch = apply_patch(manifest, live)
    if not patch:
        answer(flags, session, key, "unchanged", live)
        return
    write = Patch(key, PatchType.STRATEGIC_MERGE, json.dumps(patch).encode(), options=write_options(flags, _MANAGER))
    await _write(flags, session, key, write, "configured", manifest)


async def _write(flags: ApplyFlags, session: Session, key: Key, write: Write, verb: str, manifest: ApiObject) -> None:
    stored = manifest
    if not is_client_dry_run(flags):
        result = await (await session.api()).write(write)
        stored = result.object.parse() if result.object else manifest
    answer(flags, session, key, verb, stored)


APPLY = Command(
    "-f FILE",
    "Bring objects to what files, folders or standard input say; create those that are absent.",
    ApplyFlags,
    run,
)
