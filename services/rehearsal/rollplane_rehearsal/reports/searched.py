"""What a search tried and found: as a scenario file that replays it, or in words, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from rollplane_rehearsal.reports import shape
from rollplane_rehearsal.search.searching import Found, Searched


def text(title: str, searched: Searched) -> str:
    """Return the scenario that was found, with what it is in comments; else what was tried."""
    found = searched.found
    if found is None:
        return "\n".join(_nothing(title, searched)) + "\n"
    head = [sentence(title, searched), f"Seen: {found.broken.seen}", *_told(searched, found)]
    comments = "".join(f"# {line}\n" for each in head for line in each.splitlines())
    return comments + found.text


def sentence(title: str, searched: Searched) -> str:
    """Return the verdict."""
    if searched.found is None:
        return f"{title} breaks nothing in {_runs(searched.runs)}."
    faults = searched.found.faults
    what = {0: "without any fault", 1: "with one fault"}.get(faults, f"with {faults} faults")
    return f'{title} breaks "{searched.found.expectation.name}" {what}.'


def _told(searched: Searched, found: Found) -> Iterator[str]:
    smaller = f", made smaller in {found.tries} more" if found.tries else ""
    least = "" if found.is_minimal else "; it may be made smaller yet"
    yield f"Found in run {searched.runs} of the search{smaller}{least}."
    yield f"Replay: rollplane rehearse --scenario FILE (seed {found.outcome.seed}, log {found.outcome.digest[:12]})"


def _nothing(title: str, searched: Searched) -> Iterator[str]:
    yield f"kept: {sentence(title, searched)}"
    yield ""
    seeds = searched.seeds[: searched.runs - searched.singles - searched.pairs]
    yield f"{_runs(len(seeds))} without faults (seeds {seeds[0]} to {seeds[-1]})"
    yield f"{_runs(searched.singles)} with one fault, {searched.pairs} with two"
    if searched.is_late:
        yield "The time was up before all was tried."
    yield from (f"  {count:>5} {action}" for action, count in sorted(searched.kinds.items(), key=lambda each: -each[1]))


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def as_json(title: str, searched: Searched) -> str:
    """Return what was tried and found as JSON; docs/rehearsal.md describes it."""
    return json.dumps(document(title, searched), indent=2, ensure_ascii=False) + "\n"


def document(title: str, searched: Searched) -> shape.SearchReport:
    """Return what was tried and found as plain values."""
    return {
        "apiVersion": shape.API_VERSION,
        "kind": "Search",
        "title": title,
        "kept": searched.found is None,
        "verdict": sentence(title, searched),
        "tried": {
            "runs": searched.runs,
            "unharmed": searched.runs - searched.singles - searched.pairs,
            "singles": searched.singles,
            "pairs": searched.pairs,
            "faults": dict(searched.kinds),
        },
        "found": _trouble(searched.found) if searched.found else None,
    }


def _trouble(found: Found) -> shape.Trouble:
    return {
        "scenario": found.text,
        "expectation": found.expectation.name,
        "seen": found.broken.seen,
        "seed": found.outcome.seed,
        "digest": found.outcome.digest,
        "faults": found.faults,
        "minimal": found.is_minimal,
    }


FORMATS: Mapping[str, Callable[[str, Searched], str]] = {"text": text, "json": as_json}
