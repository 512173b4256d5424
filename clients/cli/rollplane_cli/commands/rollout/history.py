"""``rollplane rollout history``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rollplane_cli.choosing import Found, choose, report_failure
from rollplane_cli.command import ChoosingFlags, Command, output
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import number
from rollplane_cli.output.documents import render
from rollplane_cli.session import Session
from rollplane_cli.verbs import told_as_own
from rollplane_machinery.api import Revision
from rollplane_machinery.codec import message_to_json
from rollplane_machinery.errors import RollplaneError
from rollplane_printing.history_text import history_lines, revision_lines
from rollplane_printing.sentences import path_of


class HistoryFlags(ChoosingFlags):
    """Flags of ``rollout history``."""

    revision = number("Show this revision's pod template", default=0)
    output = output("json", "yaml")


async def run(flags: HistoryFlags, session: Session) -> int:
    """Show the revisions of each workload named, or the template of one revision."""
    if flags.revision < 0:
        raise CommandError(f"revision must be a positive integer: {flags.revision}")
    chosen = await choose(flags, session, type_is_enough=True)
    api = await session.api()
    for found in chosen.found:
        try:
            with told_as_own():
                revisions = await api.history(found.key, flags.revision)
            _show(flags, session, found, revisions)
        except (RollplaneError, CommandError) as exc:
            report_failure(session, exc)
            chosen.failed = True
    return chosen.exit_code


def _show(flags: HistoryFlags, session: Session, found: Found, revisions: Sequence[Revision]) -> None:
    form = flags.output
    if form:
        session.console.write(render(_document(found, revisions), form))
        return
    path = path_of(found.key.kind, found.key.name)
    lines = revision_lines(revisions[0]) if flags.revision else history_lines(revisions)
    title = f"{path} with revision #{flags.revision}" if flags.revision else f"{path} "
    session.console.say_all((title, *lines, *([""] if flags.revision else [])))


def _document(found: Found, revisions: Sequence[Revision]) -> dict[str, Any]:
    """The revisions as stable JSON, described in docs/cli.md."""
    return {
        "apiVersion": "cli.rollplane.dev/v1",
        "kind": "RolloutHistory",
        "workload": path_of(found.key.kind, found.key.name),
        "namespace": found.key.namespace,
        "revisions": [
            {
                "revision": each.number,
                "changeCause": each.change_cause,
                "name": each.name,
                "template": message_to_json(each.template),
            }
            for each in revisions
        ],
    }


HISTORY = Command(
    "(TYPE NAME | TYPE/NAME…)",
    "Show the revisions one can go back to.",
    HistoryFlags,
    run,
)
