"""The figures that every report shows, in the same words."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_page.recording import Figure, Tone
from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.judging import (
    BUDGETS_KEPT,
    DRAINS_COMPLETE,
    FINISHES,
    PROMISES_KEPT,
    UNDO_HEALS,
    Expectation,
    Judged,
    drain_told,
)
from rollplane_rehearsal.rehearse.outcome import Extreme, UndoOutcome, WorkloadOutcome

UNDO_FIGURE = "Undo from the worst moment"


def figures(judged: Judged) -> Iterator[Figure]:
    """Yield what all runs together say, then what the worst did."""
    worst = judged.worst
    times = [judged.seconds(part) for part in (0.5, 0.95, 1.0)]
    label = "Time to finish" if len(judged.outcomes) == 1 else "Time to finish: P50, P95, worst"
    told = dict.fromkeys(map(seconds_text, times)) if len(judged.outcomes) == 1 else map(seconds_text, times)
    yield Figure(label, ", ".join(told), _tone(None not in times, judged, FINISHES))
    for workload in worst.workloads:
        if workload.changed:
            yield from _of_workload(workload, judged)
    for budget in worst.budgets:
        healthy = extreme_text(budget.least_healthy)
        yield Figure(f"Budget {budget.name}: least healthy", healthy, _tone(budget.kept, judged, BUDGETS_KEPT))
    for drain in worst.drains:
        yield Figure(f"Drain of {drain.node}", drain_told(drain), _tone(not drain.left, judged, DRAINS_COMPLETE))
    if worst.undo is not None:
        healed = worst.undo.seconds is not None
        yield Figure(UNDO_FIGURE, undo_text(worst.undo), _tone(healed, judged, UNDO_HEALS))
    yield Figure("Runs", runs_text(judged))
    yield Figure("Worst run", f"seed {worst.seed}, log {worst.digest[:12]}")


def _of_workload(workload: WorkloadOutcome, judged: Judged) -> Iterator[Figure]:
    least, most = workload.least_available, workload.most_pods
    yield Figure(
        f"{workload.name}: least available", extreme_text(least), _tone(least.missing <= 0, judged, PROMISES_KEPT)
    )
    yield Figure(f"{workload.name}: most pods", extreme_text(most), _tone(most.above <= 0, judged, PROMISES_KEPT))
    if workload.surge_pod_seconds >= 0.5:
        yield Figure(f"{workload.name}: surge", f"{workload.surge_pod_seconds:.0f} pod-seconds")
    if workload.restarts:
        yield Figure(f"{workload.name}: restarts", str(workload.restarts))


def runs_text(judged: Judged) -> str:
    """Return ``5, 2 broke an expectation``."""
    broken = str(len(judged.broken)) if judged.broken else "none"
    return f"{len(judged.outcomes)}, {broken} broke an expectation"


def extreme_text(extreme: Extreme) -> str:
    """Return ``7 of 8 promised, at 12 s``."""
    promised = "" if extreme.promised is None else f" of {extreme.promised} promised"
    return f"{extreme.count}{promised}, at {seconds_text(extreme.at)}"


def undo_text(undo: UndoOutcome) -> str:
    """Return ``at 12 s, heals in 8.0 s``."""
    return f"at {seconds_text(undo.at)}, " + (
        "never heals" if undo.seconds is None else f"heals in {seconds_text(undo.seconds)}"
    )


def _tone(is_kept: bool, judged: Judged, meant: Expectation) -> Tone:
    """Return how a figure is meant: it is bad only where the expectation that it is about is one."""
    if is_kept:
        return Tone.GOOD
    return Tone.BAD if _is_expected(judged, meant) else Tone.PLAIN


def _is_expected(judged: Judged, meant: Expectation) -> bool:
    """Tell whether ``meant`` or a stricter one is expected: to finish is part of completing within a time."""
    also = {FINISHES.name: "completes within "}.get(meant.name, f"{meant.name} within ")
    return any(each.name == meant.name or also in each.name for each in judged.expectations)


def notes(judged: Judged) -> list[str]:
    """Return what has to be known beside: a drain that gave up unasked, what was assumed, what was left out."""
    worst = judged.worst
    if _is_expected(judged, DRAINS_COMPLETE):
        return list(worst.notes)
    gave_up = DRAINS_COMPLETE.broken(worst)
    return [*([f"{gave_up}; nothing is expected of drains"] if gave_up else ()), *worst.notes]
