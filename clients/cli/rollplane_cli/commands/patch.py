"""``rollplane patch``."""

from __future__ import annotations

import json
from typing import Any

import yaml

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import DRY_RUN, FILENAME, RECURSIVE, SELECTOR, Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments, Flag, switch
from rollplane_cli.output.answers import WRITE_OUTPUT, answer, is_client_dry_run, is_same, write_options
from rollplane_cli.session import Session
from rollplane_machinery.api import Patch, PatchType
from rollplane_machinery.errors import RollplaneError

_TYPES = {"strategic": PatchType.STRATEGIC_MERGE, "merge": PatchType.MERGE, "json": PatchType.JSON}


async def run(arguments: Arguments, session: Session) -> int:
    """Send one patch to each object named."""
    patch = _patch(arguments.text("patch"))
    chosen = await choose(arguments, session)
    for found in chosen.found:
        try:
            await _send(arguments, session, found, patch)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


def _patch(text: str) -> bytes:
    """The patch as JSON, whether it was written so or as YAML."""
    if not text:
        raise CommandError("must specify -p to patch")
    try:
        data: Any = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise CommandError(f"unable to parse {text!r}: {' '.join(str(exc).split())}") from exc
    if not isinstance(data, dict | list):
        raise CommandError(f"unable to parse {text!r}: a patch is an object, or a list of operations")
    return json.dumps(data).encode()


async def _send(arguments: Arguments, session: Session, found: Found, patch: bytes) -> None:
    before = found.parse()
    if is_client_dry_run(arguments):
        answer(arguments, session, found.key, "patched", before)
        return
    type_ = _TYPES[arguments.text("type")]
    write = Patch(found.key, type_, patch, arguments.text("subresource"), options=write_options(arguments, "patch"))
    result = await (await session.api()).write(write)
    after = result.object.parse() if result.object else before
    verb = "patched (no change)" if is_same(before, after) else "patched"
    answer(arguments, session, found.key, verb, after)


PATCH = Command(
    "(TYPE NAME | TYPE/NAME | -f FILE) -p PATCH",
    "Change fields of an object by a patch in JSON or YAML.",
    run,
    (
        Flag("patch", "The patch", "p"),
        Flag("type", "strategic, merge or json", default="strategic", choices=tuple(_TYPES)),
        Flag("subresource", "status or scale instead of the object itself", choices=("status", "scale")),
        FILENAME,
        RECURSIVE,
        SELECTOR,
        switch("all", "All objects of the kinds named"),
        DRY_RUN,
        WRITE_OUTPUT,
    ),
)
