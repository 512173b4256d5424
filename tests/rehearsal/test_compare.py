"""Settings side by side: which rows are best, what is said of them, in every form and with every exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rollplane_cli.main import run
from rollplane_page.comparing import Point
from rollplane_page.recording import Tone
from rollplane_rehearsal.compare.comparing import Compared, Row
from rollplane_rehearsal.rehearse.judging import judge
from rollplane_rehearsal.rehearse.outcome import Extreme, Outcome, WorkloadOutcome
from rollplane_rehearsal.reports.comparison import text
from rollplane_rehearsal.reports.plot import plot
from rollplane_rehearsal.reports.shape import comparison_schema
from tests.end_to_end.up_process import rollplane
from tests.rehearsal.stories import deployment


def _row(number: int, seconds: float | None, least: int, most: int, promised: int = 0) -> Row:
    workload = WorkloadOutcome(
        "deployment/default/web",
        10,
        True,
        seconds,
        Extreme(least, 1.0, promised),
        Extreme(most, 1.0, None),
        0,
        5.0,
    )
    outcome = Outcome(1, "d", 0.0, seconds, [workload])
    return Row(number, (("maxSurge", number),), judge("web", [outcome]))


def _compared(*rows: Row) -> Compared:
    return Compared("web", rows, range(1, 2))


def test_the_notes_of_every_combination_are_told_once() -> None:
    rows = []
    for number, notes in enumerate([("a",), ("a", "b"), ("c",)]):
        row = _row(number, 1.0, 10, 10)
        assert row.judged is not None
        outcome = replace(row.judged.outcomes[0], notes=notes)
        rows.append(replace(row, judged=judge("web", [outcome])))
    told = [line for line in text(_compared(*rows)).splitlines() if line.startswith("note: ")]
    assert told == ["note: a", "note: b", "note: c"]


_ROWS = st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0, None]), st.integers(7, 10), st.integers(10, 12)), max_size=7)


@given(_ROWS)
def test_the_best_are_those_that_nothing_beats(figures: Sequence[tuple[float | None, int, int]]) -> None:
    rows = [_row(number, *each) for number, each in enumerate(figures)]
    best = _compared(*rows).best
    for number, (seconds, least, _) in enumerate(figures):
        better = [
            other
            for other, (its, more, _) in enumerate(figures)
            if seconds is not None
            and its is not None
            and its <= seconds
            and more >= least
            and (its, more) != (seconds, least)
        ]
        if seconds is None:
            assert number not in best
        elif better:
            assert number not in best
            assert best & set(better), "whatever is beaten is beaten by one of the best"
    assert bool(best) == any(row.kept for row in rows)


SENTENCES: dict[str, tuple[list[Row], str]] = {
    "fast and safe": (
        [_row(1, 9.0, 10, 11), _row(2, 5.0, 10, 15)],
        "maxSurge=2 is the fastest that keeps all pods available: 5.0 s (P95).",
    ),
    "haste costs": (
        [_row(1, 9.0, 10, 11), _row(2, 5.0, 7, 15)],
        "maxSurge=1 is the fastest that keeps all pods available: 9.0 s (P95); "
        "maxSurge=2 takes 5.0 s and keeps 7 of 10 pods available.",
    ),
    "never all": (
        [_row(1, 9.0, 8, 11), _row(2, 5.0, 7, 15, promised=8)],
        "maxSurge=1 is the fastest that keeps 8 of 10 pods available: 9.0 s (P95).",
    ),
    "none is kept": (
        [_row(1, None, 8, 11)],
        'No combination keeps every expectation; web breaks "finishes" in its run.',
    ),
    "none is let": (
        [Row(1, (("maxSurge", 0),), refused="no surge")],
        "No combination keeps every expectation; all are refused: no surge.",
    ),
}


@pytest.mark.parametrize(("rows", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_one_sentence_says_which_is_fastest_while_it_keeps_pods_available(rows: list[Row], sentence: str) -> None:
    assert _compared(*rows).sentence == sentence


def _point(number: int, p50: float | None, p95: float | None, level: float, *, best: bool = False) -> Point:
    return Point(number, "", p50, p95, level, best, Tone.GOOD)


def test_points_of_one_level_stand_on_one_line_and_never_upon_each_other() -> None:
    lines = plot(
        [
            _point(1, 0.0, 10.0, 100.0, best=True),
            _point(2, 10.0, 10.0, 100.0),
            _point(3, 5.0, 5.0, 90.0),
            _point(4, None, None, 0.0),
        ]
    )
    assert lines[0] == f" 100% │{'─' * 60}1* 2"
    assert lines[1] == f"  90% │{' ' * 30}3"
    assert lines[3].split() == ["0", "s", "5.0", "s", "10", "s"]
    assert plot([_point(4, None, None, 0.0)]) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yaml").write_text(deployment())
    return tmp_path


LINE = "rehearse compare --profile instant --undo=false --before web.yaml"


def test_a_combination_that_the_server_refuses_is_a_row_in_its_words(folder: Path) -> None:
    files = [folder / name for name in ("c.html", "c.json", "c.md")]
    reports = " ".join(f"--report {path}" for path in files)
    ran = rollplane(
        f"{LINE} --set-image deploy/web=web:v2 --vary maxSurge=0,1 --vary maxUnavailable=0,1 --runs 2 {reports}",
        cwd=folder,
    )
    assert (ran.code, ran.err) == (0, "")
    refused = "spec.strategy.rollingUpdate.maxUnavailable: invalid value 0: allow at least one pod: maxSurge is 0 too"
    lines = ran.out.splitlines()
    assert lines[0] == "deploy/web=web:v2: 4 combinations, 2 runs each (seeds 1 to 2)"
    assert lines[3].endswith("  refused")
    assert [line for line in lines if line.startswith("1 refused: ") and line.endswith(refused)]
    assert [line.split()[-1] for line in lines[4:7]] == ["kept"] * 3
    assert all("maxUnavailable" in path.read_text() for path in files)
    told = json.loads(files[1].read_text())
    assert [each.message for each in Draft202012Validator(comparison_schema()).iter_errors(told)] == []
    combinations = told["combinations"]
    assert [each["kept"] for each in combinations] == [False, True, True, True]
    assert combinations[0]["refused"].endswith(refused)


CODES: dict[str, tuple[str, int]] = {
    "none keeps all": ("--set-image deploy/web=web:404 --vary maxSurge=1,2", 1),
    "none is let": ("--set-image deploy/web=web:v2 --vary maxSurge=0 --vary maxUnavailable=0", 2),
    "nothing is varied": ("--set-image deploy/web=web:v2", 2),
    "nothing has it": ("--set-image deploy/web=web:v2 --vary partition=1", 2),
    "no JUnit": ("--set-image deploy/web=web:v2 --vary maxSurge=1 --report c.xml", 2),
}


@pytest.mark.parametrize(("line", "code"), CODES.values(), ids=CODES)
def test_exit_codes(folder: Path, line: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert run(f"{LINE} {line}".split()) == code
