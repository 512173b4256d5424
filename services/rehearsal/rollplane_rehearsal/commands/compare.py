"""``rollplane rehearse compare``: one rollout under several settings, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from rollplane_cli.command import Command, output
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import lines
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError
from rollplane_rehearsal.commands.reporting import BROKEN, KEPT, NOT_REHEARSED, formats_of, progress, write_reports
from rollplane_rehearsal.commands.stories import StoryFlags, asked, profile_document, refuse_words
from rollplane_rehearsal.compare.axes import PROFILE, combinations, read_axis
from rollplane_rehearsal.compare.comparing import Compared, compare
from rollplane_rehearsal.compare.varying import vary
from rollplane_rehearsal.reports.comparison import as_json, html, markdown, text
from rollplane_rehearsal.scenario.scenario import profile_of

_FORMATS: Mapping[str, Callable[[Compared], str]] = {
    "text": text,
    "json": as_json,
    "markdown": markdown,
    "html": html,
}


class CompareFlags(StoryFlags):
    """Flags of ``rehearse compare``."""

    vary = lines(
        "[TYPE/NAME:]FIELD=VALUE,VALUE,…: what is varied, such as maxSurge=1,25%; all combinations are rehearsed"
    )
    report = lines("Also write a report to FILE, by its ending: .html, .json, .md or .txt")
    output = output(*_FORMATS)


async def run(flags: CompareFlags, session: Session) -> int:
    """Compare; exit code 0: a combination kept everything, 1: none did, 2: none could be rehearsed."""
    refuse_words(flags)
    try:
        return _compare(flags, session)
    except RollplaneError as exc:  # no server said so
        raise CommandError(exc.message) from exc


def _compare(flags: CompareFlags, session: Session) -> int:
    files = formats_of(flags.report, _FORMATS)
    if not flags.vary:
        raise UsageError("nothing is varied: give --vary FIELD=VALUE,VALUE,…")
    axes = [read_axis(written) for written in flags.vary]
    chosen = combinations(axes)
    wanted = asked(flags, session)
    names = [name for axis in axes if axis.name == PROFILE for name in axis.values]
    profiles = {name: profile_of(profile_document(session, Path(), name), name) for name in names}
    stories = [
        (tuple(zip((axis.name for axis in axes), values, strict=True)), vary(wanted.story, axes, values, profiles))
        for values in chosen
    ]
    tell = progress(session, len(stories) * len(wanted.seeds))
    compared = compare(wanted.story.title, stories, wanted.seeds, wanted.scenario.expect, tell)
    session.console.write(_FORMATS[flags.output or "text"](compared))
    write_reports(files, lambda form: _FORMATS[form](compared))
    if compared.is_refused:
        return NOT_REHEARSED
    return KEPT if compared.kept else BROKEN


COMPARE = Command(
    "--vary FIELD=VALUE,VALUE,… [--vary …] (--before FILE … | --scenario FILE) [--runs N] [--report FILE]",
    "Rehearse a rollout with every combination of values, and show time, availability and surge of each side by side.",
    CompareFlags,
    run,
    is_offline=True,
    failure=NOT_REHEARSED,
)
