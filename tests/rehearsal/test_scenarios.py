"""Scenario files: what can be said in them, what is refused and where, and the stories that ship."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rollplane_cli.main import run
from rollplane_machinery.errors import InvalidError
from rollplane_rehearsal.rehearse.outcome import DrainOutcome, Extreme, Outcome, Stuck, UndoOutcome, WorkloadOutcome
from rollplane_rehearsal.reports.shape import report_schema
from rollplane_rehearsal.scenario.actions import ACTIONS
from rollplane_rehearsal.scenario.drawing import drawn
from rollplane_rehearsal.scenario.scenario import read_scenario, steps_of
from rollplane_rehearsal.scenario.steps import Step, read_step
from rollplane_rehearsal.scenario.words import Condition, is_meant, parse_condition, parse_expectation

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "scenarios").glob("*.yaml"))
REPORT = Draft202012Validator(report_schema())
HEAD = "name: x\nbefore: a.yaml\n"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_story_that_ships_is_as_it_says_and_its_report_as_the_schema_says(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    code = run(["rehearse", "--scenario", str(path), "--runs", "1", "--report", str(report)])
    told = capsys.readouterr()
    assert (code, told.err) == (0, ""), told.out
    assert [each.message for each in REPORT.iter_errors(json.loads(report.read_text()))] == []


def test_there_are_twelve_stories_each_with_what_it_is_about() -> None:
    read = [read_scenario(path.read_text(), path.name) for path in EXAMPLES]
    assert len(read) == 12
    assert all(each.about and each.name for each in read)


REFUSED: dict[str, tuple[str, str]] = {
    "not YAML": ("name: [", "s.yaml: not YAML: line 1"),
    "not a mapping": ("- a", "s.yaml: line 1: must be a mapping"),
    "unknown field": (HEAD + "step: []\nsteps: [{pause: web}]", "line 3: step: unknown field, did you mean steps?"),
    "no steps": (HEAD, "steps: must say what happens"),
    "an empty list of steps": (HEAD + "steps: []", "steps: must say what happens"),
    "steps that are no list": (HEAD + "steps: {pause: web}", "line 3: steps: must be a list"),
    "nothing before": (
        "steps: [{pause: web}]",
        "before: must say what runs before the first step, here or in",
    ),
    "an empty list before": ("before: []\nsteps: [{pause: web}]", "before: must say what runs before"),
    "manifests that are none": ("manifests: [{a: 1}]\nsteps: [{pause: web}]", "manifests[0]: must be an object with"),
    "no action": (HEAD + "steps:\n- at: 5s", "line 4: steps[0]: must have exactly one action"),
    "two actions": (HEAD + "steps:\n- {pause: web, resume: web}", "must have exactly one action"),
    "unknown action": (HEAD + "steps:\n- {explode: web}", "line 4: steps[0].explode: is no action and no trigger"),
    "a bad time": (HEAD + "steps:\n- pause: web\n  at: soon", "line 5: steps[0].at: not a duration"),
    "a bad condition": (HEAD + "steps:\n- pause: web\n  when: it rains", "line 5: steps[0].when: is no condition"),
    "no image": (HEAD + "steps: [{set image: web}]", "steps[0].set image: must be WORKLOAD=IMAGE"),
    "no replicas": (HEAD + "steps: [{scale: web=many}]", "steps[0].scale: must be WORKLOAD=REPLICAS"),
    "no patch": (HEAD + "steps: [{patch: {workload: web}}]", "steps[0].patch: must be {workload: …, patch: {…}}"),
    "slow by nothing": (HEAD + "steps: [{slow pulls: {image: web}}]", "steps[0].slow pulls: must be a duration, or"),
    "more than all": (HEAD + "steps: [{lose answers: 2.5}]", "steps[0].lose answers: must be a part, such as 20%"),
    "nobody": (HEAD + "steps: [{pause: 7}]", "steps[0].pause: must be text"),
    "a rule of nothing": (HEAD + "steps: [{rule: {delay: 5}}]", "steps[0].rule: stage: is required"),
    "a bad rule": (HEAD + "steps: [{rule: {stage: ready, delay: soon}}]", "steps[0].rule: delay"),
    "for what does not last": (HEAD + "steps:\n- {pause: web, for: 5s}", "steps[0].for: goes only with what lasts"),
    "how long a pause": (HEAD + "steps:\n- {pause controller: }", "needs for: how long"),
    "a value too many": (HEAD + "steps:\n- {fill store: now}", "steps[0].fill store: takes no value"),
    "at and when": (HEAD + "steps:\n- {pause: web, at: 5s, when: web is complete}", "goes with neither"),
    "a bad expectation": (
        HEAD + "steps: [{pause: web}]\nexpect:\n- all is well",
        "line 5: expect[0]: 'all is well' is no",
    ),
    "a bad span": (HEAD + "steps: [{pause: web}]\nexpect: [web completes within 5x]", "expect[0]: 'web completes"),
    "an expectation that is no text": (HEAD + "steps: [{pause: web}]\nexpect: [7]", "expect[0]: must be text"),
    "a bad draw": (HEAD + "draw: {x: 7}\nsteps: [{pause: web}]", "line 3: draw.x: must be {between"),
    "no nodes": (HEAD + "nodes: 0\nsteps: [{pause: web}]", "line 3: nodes: must be a number from 1"),
    "a bad pool": (HEAD + "nodes:\n- {count: many}\nsteps: [{pause: web}]", "line 4: nodes[0].count"),
    "a bad taint": (HEAD + "nodes: [{taint: gpu}]\nsteps: [{pause: web}]", "nodes[0].taint"),
    "no release": (HEAD + "release: 1.30\nsteps: [{pause: web}]", 'line 3: release: must be text, "1.20" to'),
    "a bad profile": (HEAD + "profile: {probes: 7}\nsteps: [{pause: web}]", "line 3: profile.probes"),
    "no patience": (HEAD + "patience: long\nsteps: [{pause: web}]", "line 3: patience: must be a duration"),
    "no runs": (HEAD + "runs: 0\nsteps: [{pause: web}]", "line 3: runs: must be a whole number from 1"),
    "a wrong type": (HEAD + "undo: maybe\nsteps: [{pause: web}]", "line 3: undo: must be true or false"),
}
BEYOND_A_SCHEMA: dict[str, tuple[str, str]] = {
    "what is not drawn": (
        HEAD + "draw: {n: {one of: [a]}}\nsteps: [{drain: '${m}'}]",
        "holds ${m}, which is not drawn",
    ),
    "a range upside down": (HEAD + "draw: {x: {between: [9, 1]}}\nsteps: [{pause: web}]", "draw.x: must be {between"),
    "two taints of one key": (
        HEAD + "nodes: [{taint: [a:NoSchedule, a:NoSchedule]}]\nsteps: [{pause: web}]",
        "nodes[0].taint: two taints",
    ),
}


@pytest.mark.parametrize(
    ("text", "told"), [*REFUSED.values(), *BEYOND_A_SCHEMA.values()], ids=[*REFUSED, *BEYOND_A_SCHEMA]
)
def test_what_is_wrong_is_told_with_its_line(text: str, told: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read_scenario(text, "s.yaml")
    assert told in refused.value.message


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidError) as refused:
        read_scenario(HEAD + "runs: 0\nundo: 7\nsteps: [{pause: web, at: x}]", "s.yaml")
    assert refused.value.message.count("s.yaml: line") == 3


MANY_SLIPS = (
    HEAD
    + """draw: {grown: {one of: [web]}}
steps:
- {silense: node-1}
- {scale: web, at: 5x}
- {pause: "${grwn}", at: "${x}"}
- {silence: node-1, when: web is moveing}
- {explode: web}
expect: [finishs, web completes witin 5m, promises keep, all is well]
"""
)
TOLD = (
    "line 5: steps[0].silense: is no action and no trigger, did you mean silence? actions are apply, ",
    "line 6: steps[1].at: not a duration",
    "line 6: steps[1].scale: must be WORKLOAD=REPLICAS",
    "line 7: steps[2].at: holds ${x}, which is not drawn",
    "line 7: steps[2].pause: holds ${grwn}, which is not drawn, did you mean grown?",
    "line 8: steps[3].when: is no condition, did you mean is complete|moving? want one of: WORKLOAD ",
    "line 9: steps[4].explode: is no action and no trigger",
    "line 10: expect[0]: 'finishs' is no expectation, did you mean finishes? want one of: [WORKLOAD] completes ",
    "line 10: expect[1]: 'web completes witin 5m' is no expectation, did you mean completes within DURATION?",
    "line 10: expect[2]: 'promises keep' is no expectation, did you mean promises kept?",
    "line 10: expect[3]: 'all is well' is no expectation",
)


def test_every_slip_has_its_line_and_what_may_be_meant_and_lists_are_told_once() -> None:
    with pytest.raises(InvalidError) as refused:
        read_scenario(MANY_SLIPS, "s.yaml")
    lines = refused.value.message.split("\n")
    assert [line[: len(told) + 8] for line, told in zip(lines, TOLD, strict=True)] == [
        f"s.yaml: {told}" for told in TOLD
    ]
    assert [line for line in lines[1:] if "actions are" in line] == []
    assert sum("want one of: [WORKLOAD]" in line for line in lines) == 1


STEPS: dict[str, tuple[dict[str, Any], Step]] = {
    "an image": ({"set image": "web=web:v2"}, Step("set image", ("web", "*", "web:v2"))),
    "a moment": ({"pause": "web", "at": "1m30s"}, Step("pause", "web", at=90.0)),
    "a state": (
        {"drain": "n", "when": "web new is 30% available", "after": 5, "for": "2m"},
        Step("drain", "n", when=Condition("web", "available", 30, True, "new"), after=5.0, seconds=120.0),
    ),
    "a scale": ({"scale": "web=3"}, Step("scale", ("web", 3))),
    "slow pulls": ({"slow pulls": {"image": "web:*", "by": "30s"}}, Step("slow pulls", ("web:*", 30.0))),
    "a part": ({"lose answers": "20%", "for": "1m"}, Step("lose answers", 0.2, seconds=60.0)),
    "a patch": (
        {"patch": {"workload": "web", "patch": {"spec": {"paused": True}}}},
        Step("patch", ("web", '{"spec": {"paused": true}}')),
    ),
    "nothing": ({"kill controller": None}, Step("kill controller", None)),
}


@pytest.mark.parametrize(("data", "step"), STEPS.values(), ids=STEPS)
def test_steps(data: dict[str, Any], step: Step) -> None:
    assert read_step(data) == step


def test_every_action_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    assert [action for action in ACTIONS if f"`{action}" not in page] == []


CONDITIONS = {
    "web is complete": Condition("web", "complete"),
    "deploy/web has failed": Condition("deploy/web", "failed"),
    "web old is 3 ready": Condition("web", "ready", 3, False, "old"),
}


@pytest.mark.parametrize(("text", "condition"), CONDITIONS.items())
def test_conditions(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition


MEANT = {
    "web": True,
    "deploy/web": True,
    "deployment/shop/web": True,
    "sts/web": False,
    "api": False,
    "nonsense/web": False,
}


@pytest.mark.parametrize(("called", "meant"), MEANT.items())
def test_whom_a_name_means(called: str, meant: bool) -> None:
    assert is_meant(called, "deployment/shop/web") is meant


WEB = WorkloadOutcome("deployment/shop/web", 10, True, 12.0, Extreme(8, 3.0, 8), Extreme(13, 0.0, 13), 0, 30.0)
LOST = WorkloadOutcome(
    "deployment/shop/web", 10, True, None, Extreme(8, 3.0, 8), Extreme(13, 0.0, 13), 2, 30.0, Stuck("no image", "X")
)
GOOD = Outcome(1, "d", 5.0, 12.0, [WEB], undo=UndoOutcome(3.0, 9.0))
BAD = Outcome(1, "d", 5.0, None, [LOST], undo=UndoOutcome(3.0, None))
DRAINED = replace(GOOD, drains=[DrainOutcome("node-1", 3.0, 40.0)])
BLOCKED = replace(GOOD, drains=[DrainOutcome("node-1", 3.0, 40.0, [("shop/web-1", "budget web")])])
REFUSAL = Outcome(1, "d", 5.0, None, [WEB], refused=["quota reached"])

EXPECTED: dict[str, tuple[str, Outcome, bool]] = {
    "in time": ("completes within 12s", GOOD, True),
    "late": ("web completes within 11s", GOOD, False),
    "not at all": ("web completes within 1h", BAD, False),
    "nobody": ("api completes within 1h", GOOD, False),
    "never": ("web never completes", BAD, True),
    "never, for this reason": ('web never completes because "image"', BAD, True),
    "never, for another": ('web never completes because "quota"', BAD, False),
    "never, but it did": ("never completes", GOOD, False),
    "enough": ("web available >= 8 always", GOOD, True),
    "a part of those wanted": ("web available >= 81% always", GOOD, False),
    "not too many": ("web pods <= 13 always", GOOD, True),
    "too many": ("web pods <= 129% always", GOOD, False),
    "healed in time": ("undo heals within 9s", GOOD, True),
    "healed late": ("undo heals within 8s", GOOD, False),
    "not healed": ("undo heals within 1h", BAD, False),
    "healed never": ("undo never heals", BAD, True),
    "healed after all": ("undo never heals", GOOD, False),
    "drained": ("drains complete", DRAINED, True),
    "drained in time": ("drains complete within 40s", DRAINED, True),
    "drained late": ("drains complete within 39s", DRAINED, False),
    "not drained": ("drains complete", BLOCKED, False),
    "not drained in time": ("drains complete within 1h", BLOCKED, False),
    "nothing to be drained": ("drains complete", GOOD, True),
    "no drain in any time": ("drains complete within 1h", GOOD, False),
    "no restarts": ("no pod restarts", GOOD, True),
    "restarts": ("no pod restarts", BAD, False),
    "refused": ('the change is refused because "quota"', REFUSAL, True),
    "not refused": ("the change is refused", GOOD, False),
    "the usual": ("promises kept", GOOD, True),
}


@pytest.mark.parametrize(("text", "outcome", "kept"), EXPECTED.values(), ids=EXPECTED)
def test_expectations(text: str, outcome: Outcome, kept: bool) -> None:
    assert (parse_expectation(text).broken(outcome) == "") is kept


BLOCKING = """
manifests:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
  spec:
    replicas: 4
    selector: {matchLabels: {app: web}}
    template:
      metadata: {labels: {app: web}}
      spec: {containers: [{name: web, image: "web:v1"}]}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: web}
  spec: {minAvailable: 4, selector: {matchLabels: {app: web}}}
nodes: 2
profile: instant
undo: false
steps:
- {drain: node-1, for: 1m}
"""


def test_a_drain_that_a_budget_blocks_is_broken_and_says_by_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "blocked.yaml"
    path.write_text(BLOCKING)
    assert run(["rehearse", "--scenario", str(path), "-o", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    (drain,) = told["runs"][0]["drains"]
    assert (drain["node"], drain["at"], drain["seconds"], len(drain["left"])) == ("node-1", 0.0, 60.0, 2)
    assert drain["left"][0]["why"] == "The disruption budget web needs 4 healthy pods and has 4 currently"
    assert told["expectations"][4] == {"name": "drains complete", "kept": False, "brokenBySeeds": [1]}
    assert told["runs"][0]["budgets"] == [
        {"name": "default/web", "leastHealthy": {"count": 4, "at": 0.0, "promised": 4}}
    ]
    assert told["runs"][0]["seconds"] == 60.0


def test_what_is_drawn_follows_from_the_seed() -> None:
    draws = {"at": {"between": [5, 30]}, "part": {"between": [0.1, 0.9]}, "node": {"one of": ["a", "b"]}}
    assert drawn(draws, 1) == drawn(draws, 1)
    found = [drawn(draws, seed) for seed in range(50)]
    assert len({each["at"] for each in found}) > 10
    assert all(5 <= int(each["at"]) <= 30 and 0.1 <= float(each["part"]) <= 0.9 for each in found)
    assert {each["node"] for each in found} == {"a", "b"}
    steps = steps_of([{"drain": "${node}", "at": "${at}s"}], draws, 1)
    assert steps == [Step("drain", found[1]["node"], at=float(found[1]["at"]))]
