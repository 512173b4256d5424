"""``rollplane cordon`` and ``uncordon``."""

from __future__ import annotations

import json
from functools import partial

from rollplane.core.v1 import Node
from rollplane_cli.choosing import Found, fetch, report_failure
from rollplane_cli.command import Command, DryRunFlags
from rollplane_cli.failures import UsageError
from rollplane_cli.output.answers import dry_run_suffix, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_machinery.api import Key, Patch, PatchType
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NODE


async def _run(flags: DryRunFlags, session: Session, *, cordon: bool) -> int:
    if not flags.words:
        raise UsageError(f"USAGE: {'cordon' if cordon else 'uncordon'} NODE [flags]")
    names = [word.removeprefix("node/").removeprefix("nodes/") for word in flags.words]
    chosen = await fetch(session, [Key(NODE, "", name) for name in names])
    for found in chosen.found:
        try:
            await mark(flags, session, found, cordon=cordon)
        except RollplaneError as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def mark(flags: DryRunFlags, session: Session, found: Found, *, cordon: bool) -> None:
    """Cordon or uncordon one node and say so; raises RollplaneError."""
    node, verb = found.parse(), "cordoned" if cordon else "uncordoned"
    if isinstance(node, Node) and node.spec.unschedulable == cordon:
        session.console.say(f"node/{found.key.name} already {verb}")
        return
    if not is_client_dry_run(flags):
        patch = json.dumps({"spec": {"unschedulable": True if cordon else None}}).encode()
        options = write_options(flags, "cordon")
        write = Patch(found.key, PatchType.STRATEGIC_MERGE, patch, options=options)
        await (await session.api()).write(write)
    session.console.say(f"node/{found.key.name} {verb}{dry_run_suffix(flags)}")


CORDON = Command(
    "NODE…", "Keep new pods off nodes; those that run there stay.", DryRunFlags, partial(_run, cordon=True)
)
UNCORDON = Command("NODE…", "Let new pods onto nodes again.", DryRunFlags, partial(_run, cordon=False))
