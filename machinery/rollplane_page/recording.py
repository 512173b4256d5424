"""What a page shows: workloads, their pods and what became of them, over time. Plain values that JSON can hold.

Times are seconds since the moment that the page counts from, negative before it. Pods, workloads and revisions are
named by their place in their list, so that a thousand pods stay small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

VERSION = 1
"""Raised when a page could no longer read an older recording."""


class PodState(IntEnum):
    """What a square shows; GONE ends it."""

    PENDING = 0
    STARTING = 1
    READY = 2
    AVAILABLE = 3
    TERMINATING = 4
    FAILING = 5
    GONE = 6


class Tone(StrEnum):
    """How a sentence is meant."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the summary: what was measured, its value as text, and whether that is good."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence above everything."""

    tone: Tone
    sentence: str
    reason: str = ""


@dataclass(slots=True)
class Workload:
    """A workload; ``least_available`` and ``most_pods`` are what its manifest promises, None where it says nothing.

    ``revisions`` are told by image and hash, in the order in which they were seen.
    """

    kind: str
    namespace: str
    name: str
    desired: int
    least_available: int | None = None
    most_pods: int | None = None
    revisions: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """``deployment/shop/web``."""
        return f"{self.kind.lower()}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class PodLine:
    """A pod: its name and node, and the places of its workload and revision."""

    name: str
    workload: int
    revision: int
    node: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    """An Event at a moment."""

    at: float
    warning: bool
    reason: str
    about: str
    message: str


@dataclass(frozen=True, slots=True)
class Wait:
    """``workload`` waited from ``begin`` to ``end`` for what ``sentence`` says; a ``lasting`` one goes on then."""

    begin: float
    end: float
    workload: int
    sentence: str
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that has a name: what was applied, what broke."""

    at: float
    label: str


@dataclass(slots=True)
class Recording:
    """A whole run, from ``begin`` to ``end``. ``changes`` are (time, place of the pod, state), in order of time."""

    title: str
    verdict: Verdict | None = None
    figures: Sequence[Figure] = ()
    workloads: list[Workload] = field(default_factory=list)
    pods: list[PodLine] = field(default_factory=list)
    changes: list[tuple[float, int, PodState]] = field(default_factory=list)
    events: list[EventLine] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    begin: float = 0.0
    end: float = 0.0

    def counted_from(self, zero: float, lead: float) -> Recording:
        """Return the recording with its times counted from ``zero``, and what was longer than ``lead`` before left out.

        What pods were then they are at its begin.
        """
        begin = max(self.begin, zero - lead)

        def since_zero(at: float) -> float:
            return round(at - zero, 6) + 0.0  # clocks since 1970 are that exact; and nothing is at -0.0

        before = {pod: state for at, pod, state in self.changes if at <= begin}
        there = [(begin - zero, pod, state) for pod, state in before.items() if state is not PodState.GONE]
        since = [(at - zero, pod, state) for at, pod, state in self.changes if at > begin]
        return replace(
            self,
            changes=[*there, *since],
            events=[replace(each, at=since_zero(each.at)) for each in self.events if each.at > begin],
            waits=[replace(each, begin=since_zero(each.begin), end=since_zero(each.end)) for each in self.waits],
            marks=[replace(each, at=since_zero(each.at)) for each in self.marks],
            begin=begin - zero,
            end=self.end - zero,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the recording as the page's own modules read it; times are rounded to the millisecond."""
        return {
            "version": VERSION,
            "title": self.title,
            "verdict": self.verdict
            and {"tone": self.verdict.tone, "sentence": self.verdict.sentence, "reason": self.verdict.reason},
            "figures": [{"label": each.label, "value": each.value, "tone": each.tone} for each in self.figures],
            "workloads": [_workload(each) for each in self.workloads],
            "pods": [[each.name, each.workload, each.revision, each.node] for each in self.pods],
            "changes": [[_time(at), pod, int(state)] for at, pod, state in self.changes],
            "events": [
                [_time(each.at), int(each.warning), each.reason, each.about, each.message] for each in self.events
            ],
            "waits": [
                [_time(each.begin), _time(each.end), each.workload, each.sentence, int(each.lasting)]
                for each in self.waits
            ],
            "marks": [[_time(each.at), each.label] for each in self.marks],
            "begin": _time(self.begin),
            "end": _time(self.end),
        }


def _time(seconds: float) -> float:
    return round(seconds, 3)


def _workload(workload: Workload) -> dict[str, Any]:
    return {
        "kind": workload.kind,
        "namespace": workload.namespace,
        "name": workload.name,
        "desired": workload.desired,
        "leastAvailable": workload.least_available,
        "mostPods": workload.most_pods,
        "revisions": workload.revisions,
    }
