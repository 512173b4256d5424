"""Two results side by side: medians, ranges, ratios, and whether a difference is more than noise. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rollplane_load.results import Json, has_failed
from rollplane_load.statistics import Spread, spread_of
from rollplane_machinery.errors import BadRequestError

ENOUGH = 3
"""With fewer runs on either side nobody can say what is noise."""
VERSION = 1
SECONDS, MILLISECONDS, MIB, COUNT = "s", "ms", "MiB", ""
_SAME = ("name", "seed", "compress", "nodes", "profile", "workloads", "phases")
_MACHINE = ("cpus", "cpu", "memory_gib", "system", "python")


@dataclass(frozen=True, slots=True)
class Row:
    """A figure in both; ``ratio`` is the second median over the first, None where that is 0.

    ``verdict`` is ``less`` or ``more`` where the ranges of enough runs do not meet, ``noise`` where they do, and empty
    where there are too few runs. Less is better in every row.
    """

    figure: str
    unit: str
    first: Spread
    second: Spread
    ratio: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """``warnings`` tell what makes the two hard to compare."""

    warnings: Sequence[str]
    rows: Sequence[Row]

    def as_json(self) -> Json:
        """Return it as a document."""
        return {"version": VERSION, "warnings": list(self.warnings), "rows": [asdict(row) for row in self.rows]}


def read_results(text: str, source: str) -> Json:
    """Return the result in a file; several, one after another, are taken for the runs of one.

    Raises BadRequestError for a file that holds anything else.
    """
    found, at, decoder = [], 0, json.JSONDecoder()
    while rest := text[at:].lstrip():
        at = len(text) - len(rest)
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError as exc:
            raise BadRequestError(f"{source} is no JSON: {exc}") from None
        if not isinstance(document, dict) or not document.get("runs") or document.get("version") != 1:
            raise BadRequestError(f"{source} is no result of rollplane load")
        found.append(document)
    if not found:
        raise BadRequestError(f"{source} is empty")
    if len({json.dumps(each["scenario"], sort_keys=True) for each in found}) > 1:
        raise BadRequestError(f"{source} holds results of several scenarios")
    return {**found[0], "runs": [run for each in found for run in each["runs"]]}


def compare(first: Json, second: Json) -> Comparison:
    """Return what both have measured, side by side."""
    ours, theirs = figures_of(first["runs"]), figures_of(second["runs"])
    rows = [
        _row(figure, unit, ours[figure, unit], theirs[figure, unit])
        for figure, unit in ours
        if (figure, unit) in theirs
    ]
    return Comparison([*_warnings(first, second)], rows)


def figures_of(runs: Sequence[Json]) -> Mapping[tuple[str, str], list[float]]:
    """Return the figures that can be compared, with their units, and what each run had."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for figure, unit, value in _figures(run):
            found.setdefault((figure, unit), []).append(value)
    return found


def _figures(run: Json) -> Iterator[tuple[str, str, float]]:
    for phase in run["phases"]:
        yield phase["name"], SECONDS, phase["seconds"]
    for row in run["rollouts"]:
        yield from _latencies(f"{row['action']} {row['kind']}".strip(), SECONDS, 1.0, row)
    for row in run["verbs"]:
        yield from _latencies(f"call: {row['verb']}", MILLISECONDS, 1e3, row)
    if run["watch_lag"]["count"]:
        yield from _latencies("watch lag", MILLISECONDS, 1e3, run["watch_lag"])
    for figure, unit, name in (
        ("CPU of a pod's life", MILLISECONDS, "cpu_ms_per_pod_life"),
        ("changes in a pod's life", COUNT, "changes_per_pod_life"),
        ("writes in a pod's life", COUNT, "writes_per_pod_life"),
        ("Events in a pod's life", COUNT, "events_per_pod_life"),
    ):
        if run[name] is not None:
            yield figure, unit, run[name]
    for name, seconds in run["cpu_seconds"].items():
        yield f"CPU: {name}", SECONDS, seconds
    for name, mib in run["peak_mib"].items():
        yield f"most memory: {name}", MIB, mib


def _latencies(name: str, unit: str, factor: float, row: Json) -> Iterator[tuple[str, str, float]]:
    for part in ("p50", "p99"):
        yield f"{name}, {part.upper()}", unit, row[part] * factor


def _row(figure: str, unit: str, first: Sequence[float], second: Sequence[float]) -> Row:
    one, other = spread_of(first), spread_of(second)
    ratio = other.median / one.median if one.median else None
    return Row(figure, unit, one, other, ratio, _verdict(one, other))


def _verdict(one: Spread, other: Spread) -> str:
    """Two samples of three that do not meet come so by chance once in ten times, of four once in 35."""
    if min(one.runs, other.runs) < ENOUGH:
        return ""
    if other.high < one.low:
        return "less"
    return "more" if other.low > one.high else "noise"


def _warnings(first: Json, second: Json) -> Iterator[str]:
    yield from _differing("scenario", _SAME, first["scenario"], second["scenario"])
    yield from _differing("machine", _MACHINE, first["machine"], second["machine"])
    for letter, result in (("A", first), ("B", second)):
        if any(map(has_failed, result["runs"])):
            yield f"{letter} has runs that broke an invariant or did not finish"
    if (least := min(len(first["runs"]), len(second["runs"]))) < ENOUGH:
        yield f"only {least} run{'s' if least > 1 else ''} of one side: what is noise nobody can say (--runs {ENOUGH})"


def _differing(what: str, names: Sequence[str], first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        if (one := first.get(name)) != (other := second.get(name)):
            yield f"the {what}s differ in {name}: {_short(one)} and {_short(other)}"


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
