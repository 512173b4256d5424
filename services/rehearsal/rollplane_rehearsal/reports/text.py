"""A report as text for a terminal, and as Markdown for a pull request's comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane_page.recording import Figure, Recording, Tone
from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.judging import Judged
from rollplane_rehearsal.reports.figures import figures, notes
from rollplane_rehearsal.reports.markup import plain

MOST_WAITS = 12


def text(judged: Judged, recording: Recording) -> str:
    """Return the report as text, the verdict first."""
    return "\n".join(_text(judged, recording)) + "\n"


def _text(judged: Judged, recording: Recording) -> Iterator[str]:
    yield f"{'kept' if judged.kept else 'BROKEN'}: {judged.sentence}"
    if judged.reason:
        yield f"  {judged.reason}"
    yield ""
    shown = list(figures(judged))
    width = max(len(each.label) for each in shown)
    yield from (f"{each.label:<{width}}  {each.value}{_sign(each)}" for each in shown)
    if waits := list(_waits(recording)):
        yield ""
        yield "What waited for what (worst run)"
        yield from (f"  {each}" for each in waits)
    others = judged.broken.get(judged.worst.seed, ())[1:]
    if others:
        yield ""
        yield "Also broken in the worst run"
        yield from (f"  {each.expectation}: {each.seen}" for each in others)
    for note in notes(judged):
        yield f"note: {note}"


def _sign(figure: Figure) -> str:
    return "  (broken)" if figure.tone is Tone.BAD else ""


def _waits(recording: Recording) -> Iterator[str]:
    for wait in recording.waits[:MOST_WAITS]:
        span = f"{seconds_text(wait.begin)} for {seconds_text(wait.end - wait.begin)}"
        yield f"at {span}: {wait.sentence}"
    if (more := len(recording.waits) - MOST_WAITS) > 0:
        yield f"… and {more} more"


def markdown(judged: Judged, recording: Recording) -> str:
    """Return the report as Markdown."""
    return "\n".join(_markdown(judged, recording)) + "\n"


def _markdown(judged: Judged, recording: Recording) -> Iterator[str]:
    yield f"### {'✅' if judged.kept else '❌'} {plain(judged.sentence)}"
    if judged.reason:
        yield f"\n> {plain(judged.reason)}"
    yield "\n| | |\n| --- | --- |"
    yield from (f"| {plain(each.label)} | {plain(each.value)}{_cross(each)} |" for each in figures(judged))
    waits = list(_waits(recording))
    yield from _folded("What waited for what, in the worst run", waits)
    broken = [
        f"seed {seed}: {each.expectation}: {each.seen}" for seed, found in judged.broken.items() for each in found
    ]
    yield from _folded("Everything that was broken", broken)
    yield from _folded("Assumed and left out", notes(judged))


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"\n<details><summary>{title}</summary>\n"
        yield from (f"- {plain(line)}" for line in lines)
        yield "\n</details>"


def _cross(figure: Figure) -> str:
    return " ❌" if figure.tone is Tone.BAD else ""
