"""``rollplane rollout undo``."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, WriteFlags
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import number
from rollplane_cli.output.answers import answer, is_client_dry_run, write_options
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Revision
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import DEPLOYMENT
from rollplane_printing.sentences import path_of
from rollplane_printing.template_text import template_lines


class UndoFlags(ChoosingFlags, WriteFlags):
    """Flags of ``rollout undo``."""

    to_revision = number("The revision to go back to; 0 is the one before", default=0)


async def run(flags: UndoFlags, session: Session) -> int:
    """Bring back an earlier template of each workload named."""
    if flags.to_revision < 0:
        raise CommandError(f"unable to find specified revision {flags.to_revision} in history")
    chosen = await choose(flags, session, type_is_enough=True)
    for found in chosen.found:
        try:
            await _undo(flags, session, found)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


async def _undo(flags: UndoFlags, session: Session, found: Found) -> None:
    if is_client_dry_run(flags):
        await _preview(session, found, flags.to_revision)
        return
    with told_as_own():
        undone = await (await session.api()).undo(found.key, flags.to_revision, write_options(flags, "rollout"))
    verb = "rolled back"
    if undone.skipped:
        verb = f"skipped rollback (current template already matches revision {undone.target.number})"
    message = undone.result.object.parse() if undone.result.object else found.parse()
    answer(flags, session, found.key, verb, message)


async def _preview(session: Session, found: Found, to_revision: int) -> None:
    """Show the template that would come back; whether the workload is paused does not matter here."""
    with told_as_own():
        history = await (await session.api()).history(found.key)
    first, *rest = template_lines(_target(found, history, to_revision).template)
    session.console.say(f"{path_of(found.key.kind, found.key.name)} {first}")
    session.console.say_all([*rest, " (dry run)"])


def _target(found: Found, history: Sequence[Revision], to_revision: int) -> Revision:
    """The revision that undo would choose; raises CommandError as the server would."""
    if to_revision:
        for revision in history:
            if revision.number == to_revision:
                return revision
        raise CommandError(f"unable to find specified revision {to_revision} in history")
    if len(history) < 2:
        is_deployment = found.key.kind is DEPLOYMENT
        none = f'no rollout history found for deployment "{found.key.name}"'
        raise CommandError(none if is_deployment else "no last revision to roll back to")
    return history[-2]


UNDO = Command(
    "(TYPE NAME | TYPE/NAME…)",
    "Go back to the revision before the present one, or to any other.",
    UndoFlags,
    run,
)
