"""The JSON Schemas that are published: as the code has them, and of one mind with what reads and writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rollplane_cli.main import run
from rollplane_machinery.errors import InvalidError
from rollplane_rehearsal.reports.shape import comparison_schema, report_schema, search_schema
from rollplane_rehearsal.scenario.actions import ACTIONS
from rollplane_rehearsal.scenario.scenario import read_scenario, scenario_schema
from tests.rehearsal.test_scenarios import EXAMPLES, REFUSED, STEPS

SCHEMAS = {
    "scenario": scenario_schema(),
    "report": report_schema(),
    "comparison": comparison_schema(),
    "search": search_schema(),
}
FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
SCENARIO = Draft202012Validator(SCHEMAS["scenario"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_published_is_what_the_command_prints(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """If not: ``rollplane rehearse --schema`` prints the one that belongs there."""
    assert run(["rehearse", "--schema", name]) == 0
    assert (FOLDER / f"{name}.json").read_text() == capsys.readouterr().out
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_story_that_ships_is_valid_and_names_its_schema(path: Path) -> None:
    assert _faults(path.read_text()) == []
    first, _, named = path.read_text().splitlines()[0].partition("$schema=")
    assert first == "# yaml-language-server: "
    assert (path.parent / named).resolve() == FOLDER / "scenario.json"


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_the_reader_refuses_the_schema_refuses(text: tuple[str, str]) -> None:
    try:
        assert _faults(text[0])
    except yaml.YAMLError:
        return


@pytest.mark.parametrize("step", [data for data, _ in STEPS.values()], ids=STEPS)
def test_what_a_step_may_be_it_may_be_by_the_schema(step: dict[str, Any]) -> None:
    assert [*SCENARIO.iter_errors({"before": "a.yaml", "steps": [step]})] == []


DRAWN = {
    "a moment": {"pause": "web", "at": "${n}s"},
    "a whole value": {"pause": "web", "after": "${n}"},
    "a condition": {"pause": "web", "when": "web new is ${n}% available"},
    "an image": {"set image": "web=web:v${n}"},
    "a number in a rule": {"rule": {"stage": "ready", "delay": "${n}"}},
    "how slow": {"slow pulls": {"by": "${n}"}},
}


@pytest.mark.parametrize("step", DRAWN.values(), ids=DRAWN)
def test_what_is_drawn_may_stand_wherever_it_is_read(step: dict[str, Any]) -> None:
    document = {"before": "a.yaml", "draw": {"n": {"between": [5, 9]}}, "steps": [step]}
    assert [*SCENARIO.iter_errors(document)] == []
    read_scenario(json.dumps(document), "s.yaml")


_TEXTS = st.sampled_from(
    ["web", "5s", "1.5m", "0", "7", ".5h", "-5s", "20%", "120%", "web=v2", "web=3", "=3", "a=", ""]
)
_VALUES = _TEXTS | st.integers(-2, 3) | st.booleans() | st.none() | st.just({"by": "5s"}) | st.just({"stage": "pull"})
_WHEN = st.sampled_from(["web is complete", "web is 5% ready", "web new is 3 available", "a b has failed", "web is 5%"])
_STEPS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys([*ACTIONS], _VALUES) | {"at": _VALUES, "after": _VALUES, "for": _VALUES, "when": _WHEN},
).flatmap(lambda step: st.permutations([*step.items()]).map(lambda items: dict(items[:3])))


@given(step=_STEPS)
def test_reader_and_schema_are_of_one_mind_about_steps(step: dict[str, Any]) -> None:
    document = {"before": "a.yaml", "steps": [step]}
    assert SCENARIO.is_valid(document) is _is_read(document)


def _is_read(document: dict[str, Any]) -> bool:
    try:
        read_scenario(json.dumps(document), "s.yaml")
    except InvalidError:
        return False
    return True


@pytest.mark.parametrize("name", ["report", "comparison", "search"])
def test_every_field_of_a_report_is_documented(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text()
    shapes = [SCHEMAS[name], *SCHEMAS[name]["$defs"].values()]
    names = {name for each in shapes for name in each["properties"]} - {"apiVersion", "kind"}
    assert [name for name in sorted(names) if f"`{name}" not in page and f".{name}`" not in page] == []


def _faults(text: str) -> list[str]:
    return [each.message for each in SCENARIO.iter_errors(yaml.safe_load(text))]
