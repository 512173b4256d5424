"""What the rollouts of a plane wait for, noted while they go on."""

from __future__ import annotations

from rollplane_page.recorder import subject_of
from rollplane_planners.pod_trouble import trouble_of
from rollplane_rehearsal.diagnosing import diagnose, workloads
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rehearse.following import Rollouts
from rollplane_rehearsal.rehearse.watching import Watcher
from rollplane_rehearsal.rollouts import Workload, name_of

FEW = 50
"""Of so many pods all are looked at whenever a workload changes; of more once a second.

A look reads all pods of a workload, and a workload changes about as often as its pods do: to look at each change would
cost the square of the pods.
"""
LOOK_SECONDS = 1.0


class Waits:
    """Tells the recorder of ``watcher`` what is waited for, workload by workload; the first look is at once."""

    def __init__(self, plane: Plane, rollouts: Rollouts, watcher: Watcher) -> None:
        self._plane = plane
        self._rollouts = rollouts
        self._watcher = watcher
        self._due: dict[str, float] = {}

    def note(self, *, last: bool = False) -> None:
        """Note what is waited for now; at the ``last`` look, all are looked at."""
        for workload in workloads(self._plane):
            name = name_of(workload)
            if name not in self._rollouts.states or name in self._rollouts.done_at:
                self._watcher.recorder.waits(workload.metadata.uid, "", self._plane.clock.now())
            elif last or self._plane.seconds >= self._due.get(name, 0.0):
                self._look(name, workload)

    def _look(self, name: str, workload: Workload) -> None:
        if self._watcher.wanted_of(name) > FEW:
            self._due[name] = self._plane.seconds + LOOK_SECONDS
        now = self._plane.clock.now()
        seen = diagnose(self._plane, workload)
        fails = any(trouble_of(pod) is not None for pod in seen.pods)
        subject = "fails" if fails else subject_of(seen.sentence)  # what fails shows several reasons by turns
        self._watcher.recorder.waits(workload.metadata.uid, seen.sentence, now, subject)
