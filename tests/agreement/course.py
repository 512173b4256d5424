"""The course that a rollout took: the sizes it went through, and how long it was on its way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rollplane_page.recording import PodState, Recording

CALM_SECONDS = 0.7
"""Sizes that last less are on the way from one step to the next: writes take time on a plane of processes."""

Sizes = tuple[tuple[str, int, int], ...]
"""By image: pods that are there and not going, and those of them that are ready."""


@dataclass(frozen=True, slots=True)
class Course:
    """``steps`` are the sizes that lasted, in their order; ``seconds`` is from the first change to the end."""

    steps: Sequence[Sizes]
    seconds: float

    @property
    def told(self) -> str:
        return " → ".join(", ".join(f"{name} {ready}/{live}" for name, live, ready in each) for each in self.steps)


def course_of(recording: Recording, workload: str, seconds: float) -> Course:
    """Return the course of ``workload`` from second 0 of the recording until ``seconds``."""
    place = next(at for at, each in enumerate(recording.workloads) if each.full_name == workload)
    moments = [*_moments(recording, place)]
    ends = [*(at for at, _ in moments[1:]), math.inf]
    lasted = [(end - max(at, 0.0), sizes) for (at, sizes), end in zip(moments, ends, strict=True)]
    calm = [sizes for long, sizes in lasted if long >= CALM_SECONDS]
    return Course([each for at, each in enumerate(calm) if not at or calm[at - 1] != each], seconds)


def _moments(recording: Recording, workload: int) -> Iterator[tuple[float, Sizes]]:
    """Yield each moment with the sizes from then on."""
    states = [PodState.GONE] * len(recording.pods)
    for at, pod, state in recording.changes:
        if recording.pods[pod].workload == workload:
            states[pod] = state
            yield at, _sizes(recording, workload, states)


def _sizes(recording: Recording, workload: int, states: Sequence[PodState]) -> Sizes:
    live: Counter[str] = Counter()
    ready: Counter[str] = Counter()
    for line, state in zip(recording.pods, states, strict=True):
        if line.workload == workload and state not in (PodState.GONE, PodState.TERMINATING):
            image = recording.workloads[workload].revisions[line.revision].split(" ")[0]
            live[image] += 1
            ready[image] += state in (PodState.READY, PodState.AVAILABLE)
    return tuple((image, live[image], ready[image]) for image in sorted(live))
