"""Comparing results: ratios of medians, what is more than noise, and what makes two hard to compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollplane_cli.main import run
from rollplane_load.compare import compare, read_results
from rollplane_load.statistics import PARTS
from rollplane_machinery.errors import BadRequestError


def a_row(**named: str) -> dict[str, Any]:
    figures = {"count": 4, "mean": 1.0, "p50": 1.0, "p90": 1.5, "p99": 2.0, "max": 2.0}
    return {**named, **figures, "quantiles": [1.0] * len(PARTS)}


def a_run(seconds: float, **changed: Any) -> dict[str, Any]:
    counts = {"rollouts": 4, "pods_made": 8, "changes": 80, "cpu_seconds": {"apiserver": 1.0}}
    phase = {"name": "create all", "began": 0.0, "seconds": seconds, **counts}
    lists = ("at", "in_flight", "desired", "available", "changes", "pods_made", "rollouts", "lag")
    run = {
        "seconds": seconds,
        "phases": [phase],
        "rollouts": [a_row(action="create", kind="Deployment")],
        "verbs": [a_row(verb="patch")],
        "watch_lag": a_row(),
        "pod_lives": 8,
        "changes_per_pod_life": 10.0,
        "writes_per_pod_life": None,
        "events_per_pod_life": 3.0,
        "cpu_ms_per_pod_life": 2.5,
        "cpu_seconds": {"apiserver": 1.0},
        "peak_mib": {"apiserver": 80.0},
        "waits": [],
        "errors": {},
        "error_examples": {},
        "unfinished": 0,
        "retries": 0,
        "late": 0,
        "watch_restarts": 0,
        "invariant_violations": [],
        "invariants_judged": True,
        "left_behind": [],
        "series": {**{name: [] for name in lists}, "cores": {}, "mib": {}},
        "marks": [],
    }
    return {**run, **changed}


def a_result(*runs: dict[str, Any], seed: int = 1, cpus: int = 2) -> dict[str, Any]:
    scenario = {
        "name": "x",
        "seed": seed,
        "compress": 1.0,
        "nodes": 5,
        "profile": "instant",
        "workloads": [],
        "phases": [],
    }
    machine = {"cpus": cpus, "cpu": "A", "memory_gib": 8.0, "system": "Linux", "python": "3.11", "rollplane": "1"}
    return {
        "version": 1,
        "scenario": scenario,
        "target": {"kind": "embedded"},
        "machine": machine,
        "began": "2026-11-28T00:00:00+00:00",
        "runs": list(runs),
    }


VERDICTS: dict[str, tuple[list[float], list[float], float, str]] = {
    "ranges that do not meet": ([4.0, 5.0, 6.0], [1.0, 2.0, 3.0], 0.4, "less"),
    "the other way round": ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0], 2.5, "more"),
    "ranges that meet": ([1.0, 2.0, 3.0], [3.0, 5.0, 6.0], 2.5, "noise"),
    "the same": ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1.0, "noise"),
    "too few to say": ([1.0, 2.0], [4.0, 5.0, 6.0], 5 / 1.5, ""),
}


@pytest.mark.parametrize(("ours", "theirs", "ratio", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_what_is_more_than_noise(ours: list[float], theirs: list[float], ratio: float, verdict: str) -> None:
    found = compare(a_result(*map(a_run, ours)), a_result(*map(a_run, theirs)))
    row = next(row for row in found.rows if row.figure == "create all")
    assert row.ratio == pytest.approx(ratio)
    assert row.verdict == verdict


def test_every_figure_that_both_have_is_there_once() -> None:
    found = compare(a_result(a_run(1.0)), a_result(a_run(2.0, cpu_seconds={"apiserver": 2.0, "redis": 1.0})))
    names = [row.figure for row in found.rows]
    assert len(set(names)) == len(names)
    assert {"create Deployment, P50", "call: patch, P99", "watch lag, P50", "CPU of a pod's life"} <= {*names}
    assert "CPU: apiserver" in names
    assert "CPU: redis" not in names
    assert "writes in a pod's life" not in names


def test_a_figure_that_was_nothing_has_no_ratio() -> None:
    found = compare(a_result(a_run(0.0)), a_result(a_run(1.0)))
    assert next(row for row in found.rows if row.figure == "create all").ratio is None


WARNINGS: dict[str, tuple[dict[str, Any], str]] = {
    "the seed": (a_result(*[a_run(1.0)] * 3, seed=2), "the scenarios differ in seed: 1 and 2"),
    "the machine": (a_result(*[a_run(1.0)] * 3, cpus=64), "the machines differ in cpus: 2 and 64"),
    "broken runs": (a_result(*[a_run(1.0, unfinished=1)] * 3), "B has runs that broke an invariant or did not finish"),
    "too few runs": (a_result(a_run(1.0)), "only 1 run of one side"),
}


@pytest.mark.parametrize(("other", "told"), WARNINGS.values(), ids=WARNINGS)
def test_what_makes_them_hard_to_compare_is_told(other: dict[str, Any], told: str) -> None:
    (warning,) = compare(a_result(*[a_run(1.0)] * 3), other).warnings
    assert warning.startswith(told)


def test_results_one_after_another_are_runs_of_one() -> None:
    text = "\n".join(json.dumps(a_result(a_run(each))) for each in (1.0, 2.0))
    assert [run["seconds"] for run in read_results(text, "a.json")["runs"]] == [1.0, 2.0]


REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "a.json is no JSON"),
    "nothing": ("", "a.json is empty"),
    "something else": ("{}", "a.json is no result of rollplane load"),
    "a list": ("[1]", "a.json is no result of rollplane load"),
    "of several scenarios": (
        json.dumps(a_result(a_run(1.0))) + json.dumps(a_result(a_run(1.0), seed=9)),
        "a.json holds results of several scenarios",
    ),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_none_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadRequestError, match=told):
        read_results(text, "a.json")


def test_the_command_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, seconds in (("a", (4.0, 5.0, 6.0)), ("b", (1.0, 2.0, 3.0))):
        (tmp_path / f"{name}.json").write_text(json.dumps(a_result(*map(a_run, seconds))))
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert run(["load", "compare", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["FIGURE", "A", "B", "B/A"]
    assert lines[1].split("  ")[0] == "create all, s"
    assert lines[1].endswith("5 (4 to 6)            2 (1 to 3)            0.40   less, beyond noise")
    assert run(["load", "compare", *files, "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["verdict"] == "less"
    assert run(["load", "compare", files[0]]) == 1
    assert run(["load", "compare", files[0], str(tmp_path / "c.json")]) == 1
