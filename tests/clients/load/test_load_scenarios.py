"""Scenario files: what they may say, what is refused and where, and the schema that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from rollplane_cli.main import run
from rollplane_load.scenario import shipped
from rollplane_load.scenario.model import Action, Batch, Fault, Mix, PlannedFault, Rest, Scenario, Workloads, rollover
from rollplane_load.scenario.reading import read_scenario, scenario_schema
from rollplane_load.scenario.shipped import names, scenario_of
from rollplane_machinery.errors import BadRequestError, InvalidError
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET

SCHEMA = Draft202012Validator(scenario_schema())
FOLDER = Path(shipped.__file__).parent / "shipped"
PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas" / "load.json"
HEAD = "workloads: [{kind: Deployment, count: 2, replicas: 3}]\nphases:\n  - create: all\n"


def _read(text: str) -> Scenario:
    return read_scenario(text, "s.yaml")


@pytest.mark.parametrize("name", names())
def test_what_ships_is_valid_and_named_as_its_file(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    assert scenario_of(name).name == name
    assert scenario_of(name).about
    assert [each.message for each in SCHEMA.iter_errors(yaml.safe_load(text))] == []
    named = text.splitlines()[0].partition("$schema=")[2]
    assert (FOLDER / named).resolve() == PUBLISHED


def test_the_schema_that_is_published_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["load", "--schema"]) == 0
    assert capsys.readouterr().out == PUBLISHED.read_text()


def test_the_scenarios_there_are_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["load"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names()


def test_everything_can_be_said() -> None:
    scenario = _read(
        """
name: all
seed: 7
nodes: 5
profile: realistic
images: [a:1, a:2, a:3]
pod: {tolerations: [{operator: Exists}]}
patience: 2m
workloads:
  - {kind: Deployment, count: 3, replicas: 2}
  - {kind: StatefulSet, replicas: 2}
  - {kind: DaemonSet}
phases:
  - create: all
  - rollover: all
    overlap: 50%
  - mix: {roll: 2, scale: 1.5, undo: 0}
    concurrency: 4
    actions: 9
    ramp: 5
  - mix: {roll: 1}
    rate: {0s: 1/s, 1m: 120/m}
    for: 2m
    warm up: 5s
    faults:
      - {kill controller: true, at: 5s, every: 10s}
      - {silence: node-1, for: 3s}
      - {crash pods: 4}
  - rest: 30s
"""
    )
    assert (scenario.name, scenario.seed, scenario.nodes, scenario.patience) == ("all", 7, 5, 120.0)
    assert scenario.workloads == (Workloads(DEPLOYMENT, 3, 2), Workloads(STATEFUL_SET, 1, 2), Workloads(DAEMON_SET))
    assert (scenario.pods, scenario.pod.tolerations[0].operator) == (8, "Exists")
    faults = (
        PlannedFault(Fault.KILL_CONTROLLER, 5.0, 10.0),
        PlannedFault(Fault.SILENCE, seconds=3.0, node="node-1"),
        PlannedFault(Fault.CRASH_PODS, pods=4),
    )
    assert list(scenario.phases) == [
        Batch(Action.CREATE),
        Batch(Action.ROLLOVER, 0.5),
        Mix({Action.ROLL: 2, Action.SCALE: 1.5}, actions=9, concurrency=4, ramp=5.0),
        Mix({Action.ROLL: 1}, seconds=120.0, rate=((0.0, 1.0), (60.0, 2.0)), warm_up=5.0, faults=faults),
        Rest(30.0),
    ]


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "line 1: the document: must be a mapping"),
    "no phases": ("workloads: [{kind: Deployment}]", "line 1: phases: is required"),
    "a typing error": (f"{HEAD}nods: 5\n", "line 4: nods: unknown field, did you mean nodes?"),
    "a kind": ("workloads:\n  - {kind: Job}\nphases: [{create: all}]", "line 2: workloads[0].kind: must be one of"),
    "replicas of a DaemonSet": (
        "workloads:\n  - {kind: DaemonSet, replicas: 2}\nphases: [{create: all}]",
        "line 2: workloads[0].replicas: a DaemonSet has a pod a node",
    ),
    "no create": (
        "workloads: [{kind: Deployment}]\nphases:\n  - roll: all",
        "line 3: phases[0]: must be create: all",
    ),
    "create twice": (f"{HEAD}  - create: all\n", "line 4: phases[1].create: everything is there already"),
    "a part of all": (f"{HEAD}  - roll: half\n", "line 4: phases[1].roll: must be all"),
    "two heads": (f"{HEAD}  - roll: all\n    rest: 5s\n", "line 4: phases[1]: must have exactly one of"),
    "an action": (f"{HEAD}  - mix: {{rol: 1}}\n    concurrency: 1\n    for: 1s\n", "mix.rol: unknown field"),
    "no weight": (f"{HEAD}  - mix: {{roll: 0}}\n    concurrency: 1\n    for: 1s\n", "must give at least one of"),
    "what suits nobody": (
        "workloads: [{kind: DaemonSet}]\nphases:\n  - create: all\n  - scale: all\n",
        "line 4: phases[1].scale: suits none of the workloads; it is for Deployment, StatefulSet",
    ),
    "a loop and a rate": (
        f"{HEAD}  - mix: {{roll: 1}}\n    concurrency: 1\n    rate: 1/s\n    for: 5s\n",
        "line 4: phases[1]: must have either concurrency",
    ),
    "no end": (f"{HEAD}  - mix: {{roll: 1}}\n    concurrency: 1\n", "must say how long: for, or actions"),
    "a rate without an end": (
        f"{HEAD}  - mix: {{roll: 1}}\n    rate: 1/s\n    actions: 5\n",
        "must say how long: for, since it has a rate",
    ),
    "a rate": (f"{HEAD}  - mix: {{roll: 1}}\n    rate: fast\n    for: 5s\n", "line 5: phases[1].rate: must be a rate"),
    "rates out of order": (
        f"{HEAD}  - mix: {{roll: 1}}\n    rate: {{5s: 1/s, 1s: 2/s}}\n    for: 5s\n",
        "phases[1].rate: must be a rate, or rates by times that grow",
    ),
    "a duration": (f"{HEAD}  - rest: soon\n", "line 4: phases[1].rest: must be a duration, such as 90s; is 'soon'"),
    "a fault without its time": (
        f"{HEAD}  - mix: {{roll: 1}}\n    concurrency: 1\n    for: 5s\n    faults:\n      - silence: node-1\n",
        "line 8: phases[1].faults[0]: must say for how long",
    ),
    "a fault": (
        f"{HEAD}  - mix: {{roll: 1}}\n    concurrency: 1\n    for: 5s\n    faults: [{{explode: true}}]\n",
        "line 7: phases[1].faults[0]: must have exactly one of kill store",
    ),
    "too few images": (f"images: [a, b]\n{HEAD}", "line 1: images: must be at least three images"),
    "the spec of a pod": (f"pod: {{containrs: []}}\n{HEAD}", "line 1: pod.containrs: unknown field"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_told_with_line_and_field(text: str, told: str) -> None:
    with pytest.raises(InvalidError) as caught:
        _read(text)
    assert told in caught.value.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidError) as caught:
        _read("nods: 1\nworkloads: [{kind: Job}]\nphases: []\n")
    assert [line.split(": ")[2] for line in caught.value.message.splitlines()] == [
        "nods",
        "workloads[0].kind",
        "phases",
    ]


_ONLY_THE_READER = {
    "no create",
    "create twice",
    "no weight",
    "what suits nobody",
    "a loop and a rate",
    "no end",
    "a rate without an end",
    "rates out of order",
    "replicas of a DaemonSet",
    "the spec of a pod",
}
"""What depends on more than one field."""


@pytest.mark.parametrize("name", [name for name in REFUSED if name not in _ONLY_THE_READER])
def test_the_schema_refuses_it_too(name: str) -> None:
    assert not SCHEMA.is_valid(yaml.safe_load(REFUSED[name][0]))


def test_what_is_neither_a_name_nor_a_file_is_told_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadRequestError, match=r'no scenario is called "100x1".*there are 1000x10, 100x10'):
        scenario_of("100x1")
    (tmp_path / "mine.yaml").write_text(HEAD)
    assert scenario_of(str(tmp_path / "mine.yaml")).pods == 6


def test_time_can_be_compressed() -> None:
    fault = PlannedFault(Fault.SILENCE, 60.0, 120.0, 30.0)
    mix = Mix({Action.ROLL: 1}, seconds=600.0, rate=((0.0, 1.0), (60.0, 2.0)), warm_up=10.0, faults=(fault,))
    scenario = Scenario("x", (Workloads(),), (Batch(Action.CREATE), mix, Rest(100.0))).compressed(10.0)
    assert scenario.compress == 10.0
    assert scenario.phases == (
        Batch(Action.CREATE),
        Mix(
            {Action.ROLL: 1},
            seconds=60.0,
            rate=((0.0, 10.0), (6.0, 20.0)),
            warm_up=1.0,
            faults=(PlannedFault(Fault.SILENCE, 6.0, 12.0, 3.0),),
        ),
        Rest(10.0),
    )


TIMES: dict[str, tuple[dict[str, Any], float, list[float]]] = {
    "once": ({"at": 5.0}, 10.0, [5.0]),
    "too late": ({"at": 15.0}, 10.0, []),
    "again and again": ({"at": 1.0, "every": 4.0}, 10.0, [1.0, 5.0, 9.0]),
}


@pytest.mark.parametrize(("said", "until", "expected"), TIMES.values(), ids=TIMES)
def test_when_a_fault_strikes(said: dict[str, Any], until: float, expected: list[float]) -> None:
    assert PlannedFault(Fault.KILL_STORE, **said).times(until) == expected


@pytest.mark.parametrize("numbers", [(0, 1, 0.5), (1, 0, 0.5), (1, 1, 1.5)])
def test_a_rollover_that_makes_no_sense_is_refused(numbers: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError, match="want at least one deployment"):
        rollover(*numbers)
