"""``rollplane load``: what it prints of a result, and when its exit code is 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollplane_cli.main import run
from rollplane_cli.session import Session
from rollplane_load.scenario.model import Mix, Scenario
from rollplane_plane.commands.load import LoadFlags
from tests.clients.load.test_load_compare import a_result, a_run

ENDS: dict[str, tuple[dict[str, Any], int]] = {
    "all is well": ({}, 0),
    "errors that are no failure": ({"errors": {"Conflict": 3}}, 0),
    "an invariant was broken": ({"invariant_violations": ["revision 7: x: broke"]}, 1),
    "a rollout was not finished": ({"unfinished": 1}, 1),
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Scenario]:
    """Let every load come to what ``outcome`` holds; returns the scenarios that were to be carried out."""
    found: list[Scenario] = []

    async def all_runs(scenario: Scenario, _flags: LoadFlags, _session: Session) -> dict[str, Any]:
        found.append(scenario)
        return a_result(a_run(1.0), a_run(1.0, **outcome))

    monkeypatch.setattr("rollplane_plane.loading.runs.all_runs", all_runs)
    outcome.clear()
    return found


outcome: dict[str, Any] = {}


@pytest.mark.parametrize(("changed", "code"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_exit_code(
    changed: dict[str, Any], code: int, form: str, asked: list[Scenario], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome.update(changed)
    assert run(["load", "100x10", "-o", form]) == code
    out = capsys.readouterr().out
    assert (json.loads(out)["version"] if form == "json" else "invariant violations" in out) == 1
    assert len(asked) == 1


def test_flags_go_before_what_the_scenario_says(asked: list[Scenario]) -> None:
    flags = "--nodes 7 --profile realistic --seed 9 --timeout 30s --compress 576"
    assert run(["load", "day-of-deploys", *flags.split()]) == 0
    (scenario,) = asked
    assert (scenario.nodes, scenario.profile, scenario.seed, scenario.patience) == (7, "realistic", 9, 30.0)
    mix = scenario.phases[1]
    assert isinstance(mix, Mix)
    assert (scenario.compress, mix.seconds) == (576.0, 150.0)


def test_a_report_that_cannot_be_written_loses_no_result(
    asked: list[Scenario], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["load", "100x10", "-o", "json", "--report", str(tmp_path / "no" / "report.html")]) == 1
    told = capsys.readouterr()
    assert json.loads(told.out)["runs"]
    assert "error: cannot write" in told.err
    assert asked


MISTAKES: dict[str, tuple[str, str]] = {
    "two scenarios": ("100x10 300x10", "name one scenario, or one file"),
    "no runs": ("100x10 --runs 0", "--runs must be at least 1"),
    "no factor": ("100x10 --compress fast", 'invalid argument "fast" for "--compress" flag'),
    "a factor of nothing": ("100x10 --compress 0", "must be above 0"),
    "no overlap": ("rollover --overlap much", 'invalid argument "much" for "--overlap" flag'),
    "no deployments": ("rollover --deployments 0", "want at least one deployment"),
}


@pytest.mark.parametrize(("line", "told"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_told(line: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["load", *line.split()]) == 1
    assert told in capsys.readouterr().err
