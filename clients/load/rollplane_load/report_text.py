"""A result as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane_load.results import Json
from rollplane_load.tables import aligned

MOST_WAITS = 10


def text_of(document: Json) -> str:
    """Return the result in lines; of several runs one after another."""
    scenario, target = document["scenario"], document["target"]
    head = [f"{scenario['name']} on {', '.join(filter(None, target.values()))}, seed {scenario['seed']}"]
    runs = document["runs"]
    for number, run in enumerate(runs, 1):
        head += [f"run {number} of {len(runs)}", *_run(run)] if len(runs) > 1 else _run(run)
    return "\n".join(head)


def _run(run: Json) -> Iterable[str]:
    yield from _table(
        ("PHASE", "TOOK", "PODS MADE", "CHANGES/S", "CPU"),
        [
            (
                each["name"],
                f"{each['seconds']:.2f} s",
                str(each["pods_made"]),
                f"{each['changes'] / each['seconds']:.0f}" if each["seconds"] else "-",
                f"{sum(each['cpu_seconds'].values()):.2f} s",
            )
            for each in run["phases"]
        ],
    )
    yield from _table(("ROLLOUT", "KIND", "COUNT", *_COLUMNS), [_latency(each) for each in run["rollouts"]])
    yield from _table(("CALL", "COUNT", *_COLUMNS), [(each["verb"], *_figures(each)) for each in _verbs(run)])
    waits = sorted(run["waits"], key=lambda each: -each["mean"] * each["count"])[:MOST_WAITS]
    yield from _table(
        ("WAIT", "OF", "COUNT", "MEAN", "P99 ≤"),
        [
            (
                f"{each['what']} {each['name']}".strip(),
                each["service"],
                str(each["count"]),
                told(each["mean"]),
                told(each["p99"]),
            )
            for each in waits
        ],
    )
    yield from _table(
        ("PROCESS", "CPU", "PEAK"),
        [
            (name, f"{cpu:.2f} s", f"{run['peak_mib'].get(name, 0.0):.0f} MiB")
            for name, cpu in run["cpu_seconds"].items()
        ],
    )
    yield from _lives(run)
    yield from _troubles(run)


_COLUMNS = ("P50", "P90", "P99", "MAX")


def _verbs(run: Json) -> list[Json]:
    return [*run["verbs"], {"verb": "watch lag", **run["watch_lag"]}]


def _latency(each: Json) -> tuple[str, ...]:
    return each["action"], each["kind"] or "all", *_figures(each)


def _figures(each: Json) -> tuple[str, ...]:
    return str(each["count"]), *(told(each[name]) for name in ("p50", "p90", "p99", "max"))


def told(seconds: float) -> str:
    """Return seconds in the unit that suits them."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def _lives(run: Json) -> Iterable[str]:
    if not run["pod_lives"]:
        return
    parts = [f"{run['changes_per_pod_life']:.1f} changes", f"{run['events_per_pod_life']:.1f} Events"]
    if run["writes_per_pod_life"] is not None:
        parts.append(f"{run['writes_per_pod_life']:.1f} writes of the store")
    if run["cpu_seconds"]:
        parts.append(f"{run['cpu_ms_per_pod_life']:.2f} ms of CPU")
    yield ""
    yield f"a pod's life ({run['pod_lives']} of them): {', '.join(parts)}"


def _troubles(run: Json) -> Iterable[str]:
    errors = ", ".join(f"{count} {reason}" for reason, count in run["errors"].items()) or "none"
    counts = f"retries: {run['retries']}; begun late: {run['late']}; watches begun again: {run['watch_restarts']}"
    yield f"errors: {errors}; {counts}"
    yield from (f"  {reason}: {example}" for reason, example in run["error_examples"].items())
    if not run["invariants_judged"]:
        yield "invariants: not judged to the end, since the watches of the kinds came too far apart"
    yield f"invariant violations: {len(run['invariant_violations'])}"
    yield from (f"  {each}" for each in run["invariant_violations"])
    yield from (f"left behind: {each}" for each in run["left_behind"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if rows:
        yield ""
        yield from aligned(head, rows)
