"""Verdicts and reports: the same in every form, and safe in each."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from rollplane_page.recording import Mark, Recording, Wait, Workload
from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.judging import FINISHES, Judged, judge
from rollplane_rehearsal.rehearse.outcome import (
    BudgetOutcome,
    DrainOutcome,
    Extreme,
    Outcome,
    Stuck,
    UndoOutcome,
    WorkloadOutcome,
)
from rollplane_rehearsal.reports.documents import as_json, html, junit
from rollplane_rehearsal.reports.text import markdown, text

WEB = WorkloadOutcome("deployment/shop/web", 10, True, 12.0, Extreme(8, 3.0, 8), Extreme(13, 0.0, 13), 0, 30.0)
GOOD = Outcome(1, "d" * 64, 5.0, 12.0, [WEB], undo=UndoOutcome(3.0, 9.0))
STUCK = replace(WEB, seconds=None, stuck=Stuck('deployment "web" cannot proceed', "ImagePullBackOff", ["web-1"]))

BROKEN: dict[str, tuple[Outcome, str, str]] = {
    "stuck": (replace(GOOD, seconds=None, workloads=[STUCK]), "finishes", 'deployment "web" cannot proceed'),
    "refused": (replace(GOOD, seconds=None, refused=["no"]), "finishes", "not everything was done: no"),
    "too few": (
        replace(GOOD, workloads=[replace(WEB, least_available=Extreme(6, 3.0, 8))]),
        "promises kept",
        "deployment/shop/web has 6 pods available at 3.0 s, 8 are promised",
    ),
    "too many": (
        replace(GOOD, workloads=[replace(WEB, most_pods=Extreme(14, 1.0, 13))]),
        "promises kept",
        "deployment/shop/web has 14 pods at 1.0 s, 13 may be there",
    ),
    "a budget": (
        replace(GOOD, budgets=[BudgetOutcome("shop/web", Extreme(8, 2.0, 9))]),
        "budgets kept",
        "budget shop/web has 8 healthy pods at 2.0 s, 9 are asked for",
    ),
    "an invariant": (
        replace(GOOD, violations=["two pods of one ordinal"]),
        "invariants kept",
        "two pods of one ordinal",
    ),
    "a drain": (
        replace(
            GOOD, drains=[DrainOutcome("node-1", 3.0, 300.0, [("shop/web-1", "The budget web."), ("shop/web-2", "")])]
        ),
        "drains complete",
        "drain of node-1 at 3.0 s gave up after 5 min 00 s, 2 pods stay: shop/web-1 (The budget web); "
        "shop/web-2 (evicted, and not gone)",
    ),
    "no way back": (
        replace(GOOD, undo=UndoOutcome(3.0, None, [("statefulset/shop/db", Stuck("db-2 fails", "X"))])),
        "undo heals",
        "undone at 3.0 s it does not heal: db-2 fails",
    ),
}


@pytest.mark.parametrize(("outcome", "expectation", "seen"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named(outcome: Outcome, expectation: str, seen: str) -> None:
    judged = judge("web v2", [outcome])
    assert judged.sentence == f'web v2 breaks "{expectation}" in its run.'
    assert judged.reason == seen


def test_what_promises_nothing_breaks_nothing() -> None:
    free = replace(WEB, least_available=Extreme(0, 0.0, None), most_pods=Extreme(99, 0.0, None))
    assert judge("x", [replace(GOOD, workloads=[free], undo=None)]).kept


def test_many_runs_have_a_median_a_tail_and_a_worst() -> None:
    runs = [replace(GOOD, seed=seed, seconds=float(seed)) for seed in range(1, 21)]
    judged = judge("x", runs)
    assert [judged.seconds(part) for part in (0.5, 0.95, 1.0)] == [10.0, 19.0, 20.0]
    assert judged.worst.seed == 20
    assert judged.sentence == "x finishes in 10 s (P50), 20 s at worst, and keeps every expectation in 20 runs."
    runs[4] = replace(runs[4], seconds=None, workloads=[STUCK])
    judged = judge("x", runs)
    assert (judged.worst.seed, judged.seconds(1.0)) == (5, None)
    assert judged.sentence == 'x breaks "finishes" in 1 of 20 runs.'


TIMES = {0.44: "0.4 s", 59.6: "60 s", 185.0: "3 min 05 s", 119.7: "120 s", 3600.0: "60 min 00 s", None: "never"}


@pytest.mark.parametrize(("seconds", "told"), TIMES.items())
def test_seconds_as_people_write_them(seconds: float | None, told: str) -> None:
    assert seconds_text(seconds) == told


HOSTILE = 'web <b>|x|</b> `a` \x1b[31m "q" ]]> &'


def _reported() -> tuple[Judged, Recording]:
    stuck = replace(STUCK, stuck=Stuck(HOSTILE, "X", ["web-1"]))
    recording = Recording("web v2", workloads=[Workload("Deployment", "shop", "web", 10)], end=20.0)
    recording.waits, recording.marks = [Wait(5.0, 8.0, 0, HOSTILE)], [Mark(5.0, "the change")]
    return judge("web v2", [replace(GOOD, seconds=None, workloads=[stuck], notes=["assumed: x"]), GOOD]), recording


def test_text_begins_with_the_verdict_and_tells_what_waited() -> None:
    told = text(*_reported())
    assert told.startswith('BROKEN: web v2 breaks "finishes" in 1 of 2 runs.\n')
    assert f"at 5.0 s for 3.0 s: {HOSTILE}" in told
    assert "note: assumed: x" in told
    assert text(judge("web v2", [GOOD]), Recording("x")).startswith("kept: web v2 finishes in 12 s")


def test_markdown_keeps_the_words_of_others_words() -> None:
    told = markdown(*_reported())
    assert "### ❌" in told
    assert r"\<b\>\|x\|" in told
    assert "<b>" not in told


def test_json_is_stable() -> None:
    told = json.loads(as_json(*_reported()))
    assert set(told) == {
        "apiVersion",
        "kind",
        "title",
        "kept",
        "verdict",
        "reason",
        "seconds",
        "expectations",
        "worstSeed",
        "waits",
        "runs",
        "notes",
    }
    assert told["expectations"][0] == {"name": "finishes", "kept": False, "brokenBySeeds": [1]}
    assert told["runs"][0]["workloads"][0]["stuck"]["pods"] == ["web-1"]


def test_junit_has_a_case_for_each_expectation() -> None:
    suite = ElementTree.fromstring(junit(_reported()[0]))  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("6", "1")
    failure = suite.find("testcase[@name='finishes']/failure")
    assert failure is not None
    assert "�[31m" in (failure.text or "")


def test_a_drain_that_gave_up_is_told_in_every_form_whatever_is_expected() -> None:
    blocked = replace(GOOD, drains=[DrainOutcome("node-1", 0.0, 60.0, [("shop/web-1", "The budget web.")])])
    judged = judge("x", [blocked], [FINISHES])
    assert judged.kept
    told = "drain of node-1 at 0.0 s gave up after 60 s, 1 pod stays: shop/web-1 (The budget web); nothing is expected"
    assert f"note: {told}" in text(judged, Recording("x"))
    assert told in markdown(judged, Recording("x"))
    assert told in junit(judged)
    assert "gave up after 60 s, 1 pod stays" in html(judged, Recording("x"))
    assert json.loads(as_json(judged, Recording("x")))["runs"][0]["drains"][0]["left"][0]["pod"] == "shop/web-1"


def test_only_what_is_expected_is_called_broken() -> None:
    few = replace(GOOD, seconds=None, workloads=[replace(STUCK, least_available=Extreme(6, 3.0, 8))])
    lines = text(judge("x", [few], [FINISHES]), Recording("x")).splitlines()
    assert [line.split("  ")[0] for line in lines if line.endswith("(broken)")] == ["Time to finish"]
    assert "deployment/shop/web: least available  6 of 8 promised, at 3.0 s" in lines


def test_the_page_bears_the_verdict() -> None:
    assert "a run of its own that is not shown below" in html(*_reported())
    assert 'breaks \\"finishes\\" in 1 of 2 runs' in html(*_reported())
