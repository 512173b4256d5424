"""A comparison as table and plot: for a terminal, as Markdown, as JSON, and as what the page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rollplane_page.comparing import Comparison, Point
from rollplane_page.document import comparison_document
from rollplane_page.recording import Tone, Verdict
from rollplane_rehearsal.compare.comparing import Compared, Count, Row
from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.reports import shape
from rollplane_rehearsal.reports.markup import plain
from rollplane_rehearsal.reports.plot import plot

FIGURES = ("P50", "P95", "least available", "most pods", "surge", "verdict")
BEST = "*"
REFUSED = "refused"
LEGEND = f"{BEST} none is faster (P95) without fewer pods available"
PLOT_LEGEND = f"a row's number stands at its P95, a line leads there from its P50; {BEST} as in the table"


def text(compared: Compared) -> str:
    """Return table, plot and sentence as text."""
    return "\n".join(_text(compared)) + "\n"


def _text(compared: Compared) -> Iterator[str]:
    yield f"{compared.title}: {_told(compared)}"
    yield ""
    yield from _aligned([["", *_names(compared), *FIGURES], *(_cells(row, compared) for row in compared.rows)])
    if compared.best:
        yield LEGEND
    yield from _refusals(compared)
    if lines := plot([_point(row, compared) for row in compared.rows if row.judged]):
        yield ""
        yield "Least available over time to finish (P50 to P95)"
        yield from lines
        yield PLOT_LEGEND
    yield ""
    yield compared.sentence
    yield from (f"note: {note}" for note in _notes(compared))


def _told(compared: Compared) -> str:
    first, last = compared.seeds[0], compared.seeds[-1]
    runs = (
        f"one run each (seed {first})"
        if first == last
        else f"{len(compared.seeds)} runs each (seeds {first} to {last})"
    )
    count = len(compared.rows)
    return f"{count} combination{'' if count == 1 else 's'}, {runs}"


def _names(compared: Compared) -> list[str]:
    return [name for name, _ in compared.rows[0].values]


def _cells(row: Row, compared: Compared) -> list[str]:
    number = f"{row.number} {BEST}" if row.number in compared.best else f"{row.number}"
    return [number, *(f"{value}" for _, value in row.values), *_figures(row), _verdict(row)]


def _figures(row: Row) -> list[str]:
    if row.judged is None:
        return ["-"] * 5
    times = [seconds_text(row.seconds(part)) for part in (0.5, 0.95)]
    return [*times, _count(row.least), _count(row.most), f"{row.surge_pod_seconds:.0f} pod-seconds"]


def _count(count: Count | None) -> str:
    return "-" if count is None else f"{count.count} of {count.desired}"


def _verdict(row: Row) -> str:
    if row.judged is None:
        return REFUSED
    if row.judged.kept:
        return "kept"
    broken = row.judged.broken
    runs = f"{len(broken)} of {len(row.judged.outcomes)}"
    return f"BROKEN in {runs}: {broken[row.judged.worst.seed][0].expectation}"


def _refusals(compared: Compared) -> Iterator[str]:
    """Yield in whose words rows were refused: they are too long for a table."""
    yield from (f"{row.number} refused: {row.refused}" for row in compared.rows if row.judged is None)


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]) - 1)]
    for line in lines:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip()


def _notes(compared: Compared) -> Sequence[str]:
    """Return each note once, whichever combinations it is of."""
    judged = [row.judged for row in compared.rows if row.judged]
    return list(dict.fromkeys(note for each in judged for note in each.outcomes[0].notes))


def markdown(compared: Compared) -> str:
    """Return table and sentence as Markdown."""
    return "\n".join(_markdown(compared)) + "\n"


def _markdown(compared: Compared) -> Iterator[str]:
    yield f"### {plain(compared.title)}"
    yield f"\n{plain(compared.sentence)}\n"
    yield _line(["", *_names(compared), *FIGURES])
    yield _line(["---"] * (len(_names(compared)) + len(FIGURES) + 1), plain_words=False)
    yield from (_line(_cells(row, compared)) for row in compared.rows)
    yield f"\n{plain(LEGEND)}; {_told(compared)}."
    yield from (f"\n- {plain(each)}" for each in _refusals(compared))
    yield from (f"\n- {plain(note)}" for note in _notes(compared))


def _line(cells: Sequence[str], *, plain_words: bool = True) -> str:
    return f"| {' | '.join(map(plain, cells) if plain_words else cells)} |"


def as_json(compared: Compared) -> str:
    """Return the comparison as JSON; docs/rehearsal.md describes it, docs/schemas/comparison.json is its shape."""
    return json.dumps(document(compared), indent=2, ensure_ascii=False) + "\n"


def document(compared: Compared) -> shape.Comparison:
    """Return the comparison as plain values."""
    return {
        "apiVersion": shape.API_VERSION,
        "kind": "Comparison",
        "title": compared.title,
        "kept": compared.kept,
        "verdict": compared.sentence,
        "seeds": list(compared.seeds),
        "combinations": [_combination(row, compared) for row in compared.rows],
        "notes": list(_notes(compared)),
    }


def _combination(row: Row, compared: Compared) -> shape.Combination:
    judged = row.judged
    return {
        "number": row.number,
        "values": [{"name": name, "value": _value(value)} for name, value in row.values],
        "kept": row.kept,
        "best": row.number in compared.best,
        "refused": row.refused,
        "verdict": judged.sentence if judged else "",
        "reason": judged.reason if judged else "",
        "seconds": {"p50": row.seconds(0.5), "p95": row.seconds(0.95), "worst": row.seconds(1.0)},
        "least": _pods(row.least),
        "most": _pods(row.most),
        "surgePodSeconds": round(row.surge_pod_seconds, 3),
        "digests": [each.digest for each in judged.outcomes] if judged else [],
    }


def _value(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else json.dumps(value)


def _pods(count: Count | None) -> shape.Pods | None:
    return None if count is None else {"workload": count.workload, "count": count.count, "desired": count.desired}


def html(compared: Compared) -> str:
    """Return the comparison as one HTML file."""
    tone = Tone.GOOD if compared.kept else Tone.BAD
    return comparison_document(
        Comparison(
            compared.title,
            Verdict(tone, compared.sentence),
            ["", *_names(compared), *FIGURES],
            [_cells(row, compared) for row in compared.rows],
            [_tone(row) for row in compared.rows],
            [_point(row, compared) for row in compared.rows if row.judged],
            [LEGEND, PLOT_LEGEND, _told(compared), *_refusals(compared), *_notes(compared)],
        )
    )


def _tone(row: Row) -> Tone:
    if row.judged is None:
        return Tone.PLAIN
    return Tone.GOOD if row.kept else Tone.BAD


def _point(row: Row, compared: Compared) -> Point:
    return Point(
        row.number,
        row.name,
        row.seconds(0.5),
        row.seconds(0.95),
        100.0 * (row.least.share if row.least else 1.0),
        row.number in compared.best,
        _tone(row),
    )
