"""``rollplane rehearse``: what runs, what is to run, and what would happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from rollplane_cli.command import Command, output
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import lines, text
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError
from rollplane_page.recording import Recording
from rollplane_rehearsal.commands.reporting import BROKEN, KEPT, NOT_REHEARSED, formats_of, progress, write_reports
from rollplane_rehearsal.commands.stories import StoryFlags, asked
from rollplane_rehearsal.rehearse.judging import Judged, judge
from rollplane_rehearsal.rehearse.many import recording_of, rehearse_all
from rollplane_rehearsal.reports.documents import as_json, html, junit
from rollplane_rehearsal.reports.shape import comparison_schema, report_schema
from rollplane_rehearsal.reports.text import markdown
from rollplane_rehearsal.reports.text import text as as_text
from rollplane_rehearsal.scenario.scenario import scenario_schema

_FORMATS: Mapping[str, Callable[[Judged, Recording], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": lambda judged, _recording: junit(judged),
    "markdown": markdown,
    "html": html,
}

_SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "scenario": scenario_schema,
    "report": report_schema,
    "comparison": comparison_schema,
}


class RehearseFlags(StoryFlags):
    """Flags of ``rehearse``."""

    report = lines("Also write a report to FILE, by its ending: .html, .json, .xml (JUnit), .md or .txt")
    schema = text(
        "Only print a JSON Schema: that of scenario files, of reports, or of comparisons as JSON", choices=[*_SCHEMAS]
    )
    output = output(*_FORMATS)


async def run(flags: RehearseFlags, session: Session) -> int:
    """Rehearse and report; exit code 0: all was kept, 1: not, 2: it could not be rehearsed."""
    if flags.schema:
        session.console.write(json.dumps(_SCHEMAS[flags.schema](), indent=2, ensure_ascii=False) + "\n")
        return KEPT
    try:
        return _rehearse(flags, session)
    except RollplaneError as exc:  # no server said so
        raise CommandError(exc.message) from exc


def _rehearse(flags: RehearseFlags, session: Session) -> int:
    files = formats_of(flags.report, _FORMATS)
    wanted = asked(flags, session)
    outcomes = rehearse_all(wanted.story, wanted.seeds, progress(session, len(wanted.seeds)))
    judged = judge(wanted.story.title, outcomes, wanted.scenario.expect)
    recording = recording_of(wanted.story, judged.worst.seed)
    write_reports(files, lambda form: _FORMATS[form](judged, recording))
    session.console.write(_FORMATS[flags.output or "text"](judged, recording))
    return KEPT if judged.kept else BROKEN


REHEARSE = Command(
    "(--before FILE (--after FILE | --set-image TYPE/NAME=IMAGE | …) | --scenario FILE) [--runs N] [--report FILE]",
    "Bring what runs now to rest in virtual time, make the change, follow it, undo it, and say what it came to.",
    RehearseFlags,
    run,
    is_offline=True,
    failure=NOT_REHEARSED,
)
