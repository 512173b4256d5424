"""``rollplane rehearse``: what runs, what is to run, and what would happen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rollplane_cli.command import Command, output
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import lines, optional_number, optional_seconds, text, texts
from rollplane_cli.session import Session
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import RollplaneError
from rollplane_page.recording import Recording
from rollplane_rehearsal.commands.reporting import (
    BROKEN,
    KEPT,
    NOT_REHEARSED,
    Sight,
    formats_of,
    progress,
    write_reports,
)
from rollplane_rehearsal.commands.stories import Asked, StoryFlags, asked, refuse_words
from rollplane_rehearsal.rehearse.judging import Judged, judge
from rollplane_rehearsal.rehearse.many import recorded_run, recording_of, rehearse_all
from rollplane_rehearsal.rehearse.outcome import Outcome
from rollplane_rehearsal.reports.documents import as_json, html, junit
from rollplane_rehearsal.reports.searched import FORMATS as SEARCH_FORMATS
from rollplane_rehearsal.reports.shape import comparison_schema, report_schema, search_schema
from rollplane_rehearsal.reports.text import markdown
from rollplane_rehearsal.reports.text import text as as_text
from rollplane_rehearsal.scenario.scenario import scenario_schema
from rollplane_rehearsal.search.faults import KINDS, read_kinds
from rollplane_rehearsal.search.searching import Search, Searched, expectations_of, search

_FORMATS: Mapping[str, Callable[[Judged, Recording], str]] = {
    "text": as_text,
    "json": as_json,
    "junit": lambda judged, _recording: junit(judged),
    "markdown": markdown,
    "html": html,
}

MOST_RUNS = 1000
"""How many runs a search has unless told."""

_SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "scenario": scenario_schema,
    "report": report_schema,
    "comparison": comparison_schema,
    "search": search_schema,
}


class RehearseFlags(StoryFlags):
    """Flags of ``rehearse``."""

    search = optional_number("Look for the smallest scenario that breaks an expectation, in that many runs with faults")
    search_for = optional_seconds("Look for so long at most (--search 1000 unless given)")
    search_faults = texts(f"Faults to look with (default all but break image): {', '.join(KINDS)}")
    report = lines("Also write a report to FILE, by its ending: .html, .json, .xml (JUnit), .md or .txt")
    schema = text(
        "Only print a JSON Schema: that of scenario files, or of a report, comparison or search as JSON",
        choices=[*_SCHEMAS],
    )
    output = output(*_FORMATS)


async def run(flags: RehearseFlags, session: Session) -> int:
    """Rehearse and report; exit code 0: all was kept, 1: not, 2: it could not be rehearsed."""
    refuse_words(flags)
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
    if flags.search is not None or flags.search_for or flags.search_faults:
        return _search(flags, session, wanted, files)
    judged, recording = _judged(wanted, session)
    session.console.write(_FORMATS[flags.output or "text"](judged, recording))
    write_reports(files, lambda form: _FORMATS[form](judged, recording))
    return KEPT if judged.kept else BROKEN


def _judged(wanted: Asked, session: Session) -> tuple[Judged, Recording]:
    """Rehearse all runs; return what is thought of them, and the recording of the worst, which an only run is."""
    story, expected = wanted.story, wanted.scenario.expect
    if len(wanted.seeds) == 1:
        outcome, recording = _in_sight(wanted, session)
        return judge(story.title, [outcome], expected), recording
    judged = judge(story.title, rehearse_all(story, wanted.seeds, progress(session, len(wanted.seeds))), expected)
    return judged, recording_of(story, judged.worst.seed)


def _in_sight(wanted: Asked, session: Session) -> tuple[Outcome, Recording]:
    sight = Sight(session.console.err, SystemClock())
    try:
        return recorded_run(wanted.story, wanted.seeds[0], sight.tell)
    finally:
        sight.end()


def _search(flags: RehearseFlags, session: Session, wanted: Asked, files: Sequence[tuple[Path, str]]) -> int:
    """Look for trouble; exit code 1 when some was found."""
    count = MOST_RUNS if flags.search is None else flags.search
    if count < 1:
        raise UsageError(f'invalid argument "{count}" for "--search" flag: at least one')
    kinds, clock = read_kinds(flags.search_faults), SystemClock()
    deadline = clock.monotonic() + (flags.search_for or 0.0)

    def seconds_left() -> float:
        return deadline - clock.monotonic()

    left = seconds_left if flags.search_for else None
    tell = progress(session, count)
    found = search(
        wanted.story,
        wanted.scenario,
        Search(count, wanted.seeds[0], kinds, left, tell),
    )
    report = _searched_report(wanted, found)
    session.console.write(report(flags.output or "text"))
    write_reports(files, report)
    return KEPT if found.found is None else BROKEN


def _searched_report(wanted: Asked, searched: Searched) -> Callable[[str], str]:
    """Return what tells of a search in each form: text and JSON of all of it, the others of the run to look at."""
    expected = [searched.found.expectation] if searched.found else expectations_of(wanted.scenario)

    def report(form: str) -> str:
        if form in SEARCH_FORMATS:
            return SEARCH_FORMATS[form](wanted.story.title, searched)
        if searched.shown is None:
            raise CommandError("nothing was rehearsed")
        story, outcome = searched.shown
        judged = judge(story.title, [outcome], expected)
        return _FORMATS[form](judged, recording_of(story, outcome.seed))

    return report


REHEARSE = Command(
    "(--before FILE (--after FILE | --set-image TYPE/NAME=IMAGE | …) | --scenario FILE) [--runs N] [--report FILE]",
    "Bring what runs now to rest in virtual time, make the change, follow it, undo it, and say what it came to.",
    RehearseFlags,
    run,
    is_offline=True,
    failure=NOT_REHEARSED,
)
