"""A report for machines: JSON with a stable schema, and JUnit XML, which CI pages show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

from rollplane_page.document import report_document
from rollplane_page.recording import Figure, Recording, Tone, Verdict
from rollplane_rehearsal.rehearse.judging import Broken, Judged
from rollplane_rehearsal.rehearse.outcome import DrainOutcome, Extreme, Outcome, Stuck, UndoOutcome, WorkloadOutcome
from rollplane_rehearsal.rehearse.watching import UNDO
from rollplane_rehearsal.reports import shape
from rollplane_rehearsal.reports.figures import UNDO_FIGURE, figures, notes


def as_json(judged: Judged, recording: Recording) -> str:
    """Return the report as JSON; docs/rehearsal.md describes it, docs/schemas/report.json is its shape."""
    return json.dumps(document(judged, recording), indent=2, ensure_ascii=False) + "\n"


def document(judged: Judged, recording: Recording) -> shape.Report:
    """Return the report as plain values."""
    worst = judged.worst
    return {
        "apiVersion": shape.API_VERSION,
        "kind": "Rehearsal",
        "title": judged.title,
        "kept": judged.kept,
        "verdict": judged.sentence,
        "reason": judged.reason,
        "seconds": {"p50": judged.seconds(0.5), "p95": judged.seconds(0.95), "worst": judged.seconds(1.0)},
        "expectations": [_expectation(judged, each.name) for each in judged.expectations],
        "worstSeed": worst.seed,
        "waits": [
            {"begin": each.begin, "end": each.end, "workload": each.workload, "sentence": each.sentence}
            for each in recording.waits
        ],
        "runs": [_run(each, judged) for each in judged.outcomes],
        "notes": notes(judged),
    }


def _expectation(judged: Judged, name: str) -> shape.Kept:
    seeds = [seed for seed, found in judged.broken.items() if any(each.expectation == name for each in found)]
    return {"name": name, "kept": not seeds, "brokenBySeeds": seeds}


def _run(outcome: Outcome, judged: Judged) -> shape.Run:
    return {
        "seed": outcome.seed,
        "digest": outcome.digest,
        "settledSeconds": outcome.settled_seconds,
        "seconds": outcome.seconds,
        "broken": [
            {"expectation": each.expectation, "seen": each.seen} for each in judged.broken.get(outcome.seed, ())
        ],
        "workloads": [_workload(each) for each in outcome.workloads],
        "budgets": [{"name": each.name, "leastHealthy": _extreme(each.least_healthy)} for each in outcome.budgets],
        "violations": list(outcome.violations),
        "refused": list(outcome.refused),
        "drains": [_drain(each) for each in outcome.drains],
        "undo": _undo(outcome.undo) if outcome.undo else None,
    }


def _seen(broken: Sequence[Broken]) -> list[shape.Seen]:
    return [{"expectation": each.expectation, "seen": each.seen} for each in broken]


def _workload(workload: WorkloadOutcome) -> shape.Workload:
    return {
        "name": workload.name,
        "desired": workload.desired,
        "changed": workload.changed,
        "seconds": workload.seconds,
        "leastAvailable": _extreme(workload.least_available),
        "mostPods": _extreme(workload.most_pods),
        "restarts": workload.restarts,
        "surgePodSeconds": workload.surge_pod_seconds,
        "stuck": _stuck(workload.stuck) if workload.stuck else None,
    }


def _extreme(extreme: Extreme) -> shape.Furthest:
    return {"count": extreme.count, "at": round(extreme.at, 3), "promised": extreme.promised}


def _stuck(stuck: Stuck) -> shape.NotThere:
    return {"why": stuck.why, "reason": stuck.reason, "pods": list(stuck.pods)}


def _drain(drain: DrainOutcome) -> shape.Drained:
    left: list[shape.Held] = [{"pod": pod, "why": why} for pod, why in drain.left]
    return {"node": drain.node, "at": round(drain.at, 3), "seconds": round(drain.seconds, 3), "left": left}


def _undo(undo: UndoOutcome) -> shape.Undone:
    stuck: list[shape.NotHealed] = [{"workload": name, **_stuck(each)} for name, each in undo.stuck]
    return {"at": undo.at, "seconds": undo.seconds, "stuck": stuck}


def junit(judged: Judged) -> str:
    """Return the report as JUnit XML: a case for each expectation, failed where any run broke it."""
    broken = [_failures(judged, each.name) for each in judged.expectations]
    suite = ElementTree.Element(
        "testsuite",
        name=judged.title,
        tests=str(len(broken)),
        failures=str(sum(map(bool, broken))),
        errors="0",
        skipped="0",
    )
    for expectation, failures in zip(judged.expectations, broken, strict=True):
        case = ElementTree.SubElement(suite, "testcase", classname="rollplane.rehearse", name=expectation.name)
        if failures:
            failure = ElementTree.SubElement(case, "failure", message=_xml_text(failures[0]))
            failure.text = _xml_text("\n".join(failures))
    if told := notes(judged):
        ElementTree.SubElement(suite, "system-out").text = _xml_text("\n".join(told))
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _failures(judged: Judged, name: str) -> Sequence[str]:
    return [
        f"seed {seed}: {each.seen}"
        for seed, found in judged.broken.items()
        for each in found
        if each.expectation == name
    ]


def _xml_text(text: str) -> str:
    """XML knows no control characters, not even written otherwise."""
    return "".join(each if each in "\n\t" or each.isprintable() else "�" for each in text)


def _apart(figure: Figure) -> Figure:
    """A rollout that finishes is undone in a run of its own, which the page does not show."""
    if figure.label != UNDO_FIGURE:
        return figure
    told = "goes back from the last moment with the fewest pods available, in a run of its own that is not shown below"
    return replace(figure, value=f"{figure.value} ({told})")


def html(judged: Judged, recording: Recording) -> str:
    """Return the worst run as one HTML file that can be looked back through."""
    tone = Tone.GOOD if judged.kept else Tone.BAD
    recording.verdict = Verdict(tone, judged.sentence, judged.reason)
    is_shown = any(each.label == UNDO for each in recording.marks)
    recording.figures = [each if is_shown else _apart(each) for each in figures(judged)]
    return report_document(recording)
