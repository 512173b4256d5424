"""``rollplane patch``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, RecordFlags, WriteFlags
from rollplane_cli.failures import NOTHING_NAMED, CommandError
from rollplane_cli.flags import text
from rollplane_cli.output.answers import answer, is_client_dry_run, is_same, write_options
from rollplane_cli.recording import record
from rollplane_cli.session import Session
from rollplane_machinery.api import Patch, PatchType
from rollplane_machinery.errors import RollplaneError

_TYPES = {"strategic": PatchType.STRATEGIC_MERGE, "merge": PatchType.MERGE, "json": PatchType.JSON}


class PatchFlags(ChoosingFlags, WriteFlags, RecordFlags):
    """Flags of ``patch``."""

    patch = text("The patch, as JSON or YAML", "p")
    patch_file = text("File that holds the patch")
    type = text("strategic, merge or json", default="strategic", choices=tuple(_TYPES))
    subresource = text("status or scale instead of the object itself", choices=("status", "scale"))


async def run(flags: PatchFlags, session: Session) -> int:
    """Send one patch to each object named."""
    patch = _patch(flags)
    chosen = await choose(flags, session, nothing_named=NOTHING_NAMED)
    for found in chosen.found:
        try:
            await _send(flags, session, found, patch)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


def _patch(flags: PatchFlags) -> bytes:
    """The patch as JSON, whether it was written so or as YAML."""
    written = _written(flags)
    try:
        data: Any = yaml.safe_load(written)
    except yaml.YAMLError as exc:
        raise CommandError(f"unable to parse {_quoted(written)}: {' '.join(str(exc).split())}") from exc
    if not isinstance(data, dict | list):
        raise CommandError(f"unable to parse {_quoted(written)}: a patch is an object, or a list of operations")
    return json.dumps(data).encode()


def _written(flags: PatchFlags) -> str | bytes:
    """The patch as it was given; bytes of a file, whose encoding YAML finds out."""
    if flags.patch and flags.patch_file:
        raise CommandError("cannot specify --patch and --patch-file together")
    if not flags.patch and not flags.patch_file:
        raise CommandError("must specify --patch or --patch-file containing the contents of the patch")
    if flags.patch:
        return flags.patch
    try:
        return Path(flags.patch_file).read_bytes()
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise CommandError(f"unable to read patch file: open {flags.patch_file}: {reason}") from exc


def _quoted(written: str | bytes) -> str:
    text = written if isinstance(written, str) else written.decode(errors="replace")
    return json.dumps(text, ensure_ascii=False)


async def _send(flags: PatchFlags, session: Session, found: Found, patch: bytes) -> None:
    before = found.parse()
    if is_client_dry_run(flags):
        answer(flags, session, found.key, "patched", before)
        return
    options = write_options(flags, "patch")
    write = Patch(found.key, _TYPES[flags.type], patch, flags.subresource, options=options)
    result = await (await session.api()).write(write)
    after = result.object.parse() if result.object else before
    verb = "patched (no change)" if is_same(before, after) else "patched"
    after = await record(session, found.key, after, "patch", flags, options)
    answer(flags, session, found.key, verb, after)


PATCH = Command(
    "(TYPE NAME | TYPE/NAME | -f FILE) (-p PATCH | --patch-file FILE)",
    "Change fields of an object by a patch in JSON or YAML.",
    PatchFlags,
    run,
)
