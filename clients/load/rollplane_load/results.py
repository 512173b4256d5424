"""The result of a load as a document: what was put on what, and the figures of each run. Fields stay as they are."""

from __future__ import annotations

import os
import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rollplane_load.course import Course, PhaseCourse, name_of
from rollplane_load.sampling import Point
from rollplane_load.scenario.model import Action, Scenario
from rollplane_load.scraping import committed, waits_between
from rollplane_load.statistics import summary_of
from rollplane_machinery.errors import Reason

VERSION = 1
PLACES = 6
"""Digits of seconds behind the point: microseconds."""

Json = dict[str, Any]


def document(scenario: Scenario, target: Mapping[str, str], began: float, runs: Sequence[Json]) -> Json:
    """Return the document of ``runs``, the first of which ``began`` at that time, in seconds since the epoch."""
    return {
        "version": VERSION,
        "scenario": scenario_document(scenario),
        "target": dict(target),
        "machine": machine(),
        "began": datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        "runs": list(runs),
    }


def scenario_document(scenario: Scenario) -> Json:
    """Return what was asked for; two results with the same can be compared."""
    return {
        "name": scenario.name,
        "seed": scenario.seed,
        "compress": scenario.compress,
        "nodes": scenario.nodes,
        "profile": scenario.profile,
        "workloads": [
            {"kind": each.kind.name, "count": each.count, "replicas": each.replicas} for each in scenario.workloads
        ],
        "phases": [name_of(phase) for phase in scenario.phases],
    }


def machine() -> Json:
    """Return what this machine is."""
    return {
        "cpus": os.cpu_count() or 0,
        "cpu": _cpu_model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rollplane": version("rollplane"),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "")


def run_document(course: Course) -> Json:
    """Return the figures of one run."""
    tally, watcher, spending = course.tally, course.watcher, course.sampler.spending
    lives = watcher.pods_made
    writes = sum(committed(*pair) for pair in _pairs(course).values())
    cpu = _added(phase.cpu_seconds for phase in course.phases)
    return {
        "seconds": _rounded(sum(phase.seconds for phase in course.phases)),
        "phases": [_phase(phase) for phase in course.phases],
        "rollouts": _rollouts(course),
        "verbs": [{"verb": verb, **_summary(values)} for verb, values in sorted(tally.verbs.items())],
        "watch_lag": _summary(watcher.lag.seconds),
        "pod_lives": lives,
        "changes_per_pod_life": _per(watcher.changes, lives),
        "writes_per_pod_life": _per(writes, lives) if writes else None,
        "events_per_pod_life": _per(course.events, lives),
        "cpu_ms_per_pod_life": _per(sum(cpu.values()) * 1e3, lives),
        "cpu_seconds": {name: round(seconds, 2) for name, seconds in cpu.items()},
        "peak_mib": {name: round(mib, 1) for name, mib in spending.peak_mib.items()},
        "waits": _waits(course),
        "errors": dict(tally.errors),
        "error_examples": dict(tally.examples),
        "unfinished": tally.errors[Reason.TIMED_OUT],
        "retries": course.retries,
        "late": tally.late,
        "watch_restarts": watcher.restarts,
        "invariant_violations": list(course.violations),
        "invariants_judged": not watcher.judge.late,
        "left_behind": list(course.left),
        "series": _series(course.sampler.points),
        "marks": [[_rounded(at), label] for at, label in course.sampler.marks],
    }


def has_failed(run: Json) -> bool:
    """Tell whether a run is no success: an invariant was broken, or a rollout was not finished."""
    return bool(run["invariant_violations"] or run["unfinished"])


def rollover_fields(document: Json) -> Json:
    """Return what ``load rollover -o json`` has always said, of the first run."""
    run = document["runs"][0]
    (load,), phases = document["scenario"]["workloads"], {each["name"]: each for each in run["phases"]}
    create, rollover = phases["create all"]["seconds"], phases["rollover all"]["seconds"]
    rolled = next(each for each in run["rollouts"] if each["action"] == Action.ROLLOVER)
    writes = next(each for each in run["verbs"] if each["verb"] == "patch")
    return {
        "deployments": load["count"],
        "replicas": load["replicas"],
        "create_seconds": round(create, 3),
        "rollover_seconds": round(rollover, 3),
        "pods_per_second": round(load["count"] * load["replicas"] / create, 1) if create else 0.0,
        "rollout_p50_seconds": round(rolled["p50"], 3),
        "rollout_p99_seconds": round(rolled["p99"], 3),
        "write_p50_seconds": round(writes["p50"], 4),
        "write_p99_seconds": round(writes["p99"], 4),
        "cpu_seconds": run["cpu_seconds"],
        "peak_mib": run["peak_mib"],
        "invariant_violations": run["invariant_violations"],
    }


def _phase(phase: PhaseCourse) -> Json:
    told = asdict(phase)
    cpu = {name: round(seconds, 2) for name, seconds in phase.cpu_seconds.items()}
    return {**told, "began": _rounded(phase.began), "seconds": _rounded(phase.seconds), "cpu_seconds": cpu}


def _rollouts(course: Course) -> list[Json]:
    """Return latencies by action and kind; of several kinds, first of all together."""
    seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in course.tally.rollouts:
        seconds[each.action][each.kind].append(each.seconds)
    rows = []
    for action, kinds in seconds.items():
        if len(kinds) > 1:
            together = [value for values in kinds.values() for value in values]
            rows.append({"action": str(action), "kind": "", **_summary(together)})
        rows += [{"action": str(action), "kind": kind, **_summary(values)} for kind, values in sorted(kinds.items())]
    return rows


def _summary(values: Sequence[float]) -> Json:
    summary = summary_of(values)
    told = {name: _rounded(value) for name, value in asdict(summary).items() if name not in ("count", "quantiles")}
    return {"count": summary.count, **told, "quantiles": [_rounded(each) for each in summary.quantiles]}


def _pairs(course: Course) -> Mapping[str, tuple[Any, Any]]:
    before, after = course.figures
    return {name: (before[name], figures) for name, figures in after.items() if name in before}


def _waits(course: Course) -> list[Json]:
    waits = [wait for name, pair in _pairs(course).items() for wait in waits_between(name, *pair)]
    return [{**asdict(wait), "mean": _rounded(wait.mean)} for wait in waits]


def _series(points: Sequence[Point]) -> Json:
    names = sorted({name for point in points for name in point.cores})
    return {
        "at": [round(point.at, 3) for point in points],
        "in_flight": [point.in_flight for point in points],
        "desired": [point.desired for point in points],
        "available": [point.available for point in points],
        "changes": [round(point.changes, 1) for point in points],
        "pods_made": [round(point.pods_made, 1) for point in points],
        "rollouts": [round(point.rollouts, 2) for point in points],
        "lag": [None if point.lag is None else round(point.lag, 4) for point in points],
        "cores": {name: [round(point.cores.get(name, 0.0), 3) for point in points] for name in names},
        "mib": {name: [round(point.mib.get(name, 0.0), 1) for point in points] for name in names},
    }


def _added(parts: Any) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return total


def _per(count: float, lives: int) -> float | None:
    return round(count / lives, 3) if lives else None


def _rounded(seconds: float) -> float:
    return round(seconds, PLACES)
