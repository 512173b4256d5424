"""Following a plane while it changes: a recording of it, what it waits for, and the extremes it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.kinds import POD, POD_DISRUPTION_BUDGET
from rollplane_page.recorder import KINDS, Recorder
from rollplane_page.recording import PodState, Recording, Workload
from rollplane_rehearsal.event_log import EventLog, Logged
from rollplane_rehearsal.rehearse.outcome import BudgetOutcome, Extreme

LEAD_SECONDS, LEAD_PART = 2.0, 0.02
"""How much of what was before a change is shown: so long, or this part of what came after it."""
UNDO = "undo"
"""What the moment is called at which a run goes back."""
_RECORDED = frozenset(KINDS)


@dataclass(frozen=True, slots=True)
class Promise:
    """What the manifests before and after a change promise together: the lower of both, and the higher."""

    least_available: int | None
    most_pods: int | None


@dataclass(frozen=True, slots=True)
class Extremes:
    """How far a workload went since the change; ``worst_at`` is when the least was available for the last time."""

    least_available: Extreme
    most_pods: Extreme
    surge_pod_seconds: float
    worst_at: float


class Watcher:
    """Hears of every change of a plane. ``epoch`` is what its clock shows at its second 0."""

    def __init__(self, log: EventLog, title: str, epoch: float) -> None:
        self.recorder = Recorder(Recording(title), epoch)
        self._epoch = epoch
        self._restarts: dict[tuple[str, str], int] = {}
        self._budgets: dict[str, list[tuple[float, int, int]]] = {}
        self._since = 0.0
        self._before: dict[str, Workload] = {}
        log.listen(self._take)

    @property
    def recording(self) -> Recording:
        return self.recorder.recording

    def _take(self, change: Logged) -> None:
        kind = change.object.kind
        if kind in _RECORDED:
            batch = WatchBatch((WatchEvent(change.type, change.object, change.revision),), change.revision)
            self.recorder.take(batch, change.at + self._epoch)
        if change.type is EventType.DELETED:
            return
        if kind is POD:
            self._count_restarts(Pod.FromString(change.object.value))
        elif kind is POD_DISRUPTION_BUDGET:
            self._look_at_budget(PodDisruptionBudget.FromString(change.object.value), change.at)

    def _count_restarts(self, pod: Pod) -> None:
        for status in pod.status.container_statuses:
            if status.restart_count:
                self._restarts[pod.metadata.uid, status.name] = status.restart_count

    def _look_at_budget(self, budget: PodDisruptionBudget, at: float) -> None:
        name = f"{budget.metadata.namespace}/{budget.metadata.name}"
        status = budget.status
        if status.expected_pods and status.observed_generation == budget.metadata.generation:
            self._budgets.setdefault(name, []).append((at, status.current_healthy, status.desired_healthy))

    def finish(self, now: float) -> Recording:
        """Return the recording to be looked at: times count from the change, promises are those kept meanwhile."""
        recording = self.recorder.finish(now)
        promises = self.promises()
        for workload in recording.workloads:
            promise = promises[workload.full_name]
            workload.least_available, workload.most_pods = promise.least_available, promise.most_pods
        lead = max(LEAD_SECONDS, LEAD_PART * (recording.end - self._since))
        return recording.counted_from(self._since, lead)

    # The change, and what came of it.

    def change_begins(self, at: float, label: str) -> None:
        """Measure from now on: what the manifests promise now is kept in mind, beside what they will promise."""
        self._since = at
        self._restarts.clear()
        self._before = {each.full_name: _copy(each) for each in self.recording.workloads}
        if label:
            self.recorder.mark(label, at + self._epoch)

    def restarts_of(self, workload: str) -> int:
        """Return how often containers of the workload's pods restarted since the change."""
        own = {uid for uid, place in self.recorder.places() if self._workload_of(place) == workload}
        return sum(count for (uid, _), count in self._restarts.items() if uid in own)

    def _workload_of(self, place: int) -> str:
        return self.recording.workloads[self.recording.pods[place].workload].full_name

    def budgets(self) -> list[BudgetOutcome]:
        """Return how each budget fared since the change; one that was broken before and did not get worse is kept."""
        found = []
        for name, looks in sorted(self._budgets.items()):
            before = [healthy - wanted for at, healthy, wanted in looks if at < self._since]
            slack = min(0, before[-1]) if before else 0
            first = [look for look in looks if look[0] < self._since][-1:]  # how it stood when the change was made
            since = [*first, *(look for look in looks if look[0] >= self._since)]
            if since:
                at, healthy, wanted = min(since, key=lambda look: (look[1] - look[2], look[0]))
                at = max(at, self._since)
                found.append(BudgetOutcome(name, Extreme(healthy, at - self._since, wanted + slack)))
        return found

    def wanted_of(self, workload: str) -> int:
        """Return how many pods the workload is to have, as last told; 0 for one that is not known."""
        return next((each.desired for each in self.recording.workloads if each.full_name == workload), 0)

    def promises(self) -> Mapping[str, Promise]:
        """Return what holds for each workload while it goes from what it was to what it is to be."""
        return {each.full_name: _both(self._before.get(each.full_name), each) for each in self.recording.workloads}

    def _desired(self, workload: Workload) -> int:
        """What is wanted before or after is no surge."""
        before = self._before.get(workload.full_name, workload)
        return max(before.desired, workload.desired)

    def ends_at(self, name: str) -> float:
        """Return when the last pod of a workload that is made smaller was gone; 0.0 for all others."""
        place, workload = next((at, each) for at, each in enumerate(self.recording.workloads) if each.full_name == name)
        before = self._before.get(name)
        if before is None or workload.desired >= before.desired:
            return 0.0
        changes = reversed(self.recording.changes)
        pods = self.recording.pods
        return next((at for at, pod, state in changes if state is PodState.GONE and pods[pod].workload == place), 0.0)

    def extremes(self, end: float) -> Mapping[str, Extremes]:
        """Return how far each workload went from the change until ``end``."""
        counts = [_Counts() for _ in self.recording.workloads]
        states = [PodState.GONE] * len(self.recording.pods)
        promises = self.promises()
        found = [_Search(self._desired(each), promises[each.full_name]) for each in self.recording.workloads]
        looked, begun = self._since, False
        for at, place, state in self.recording.changes:
            workload = self.recording.pods[place].workload
            if at > end:
                break
            if at >= self._since and not begun:
                begun = _begin(found, counts)
            if at > looked:  # so nothing from before the change is looked at, and nothing that lasted no time
                for search, count in zip(found, counts, strict=True):
                    search.look(count, looked - self._since, at - looked)
                looked = at
            counts[workload].change(states[place], state)
            states[place] = state
        if not begun:
            _begin(found, counts)
        for search, count in zip(found, counts, strict=True):
            search.look(count, looked - self._since, max(0.0, end - looked))
        return {each.full_name: search.result() for each, search in zip(self.recording.workloads, found, strict=True)}


def _begin(searches: Sequence[_Search], counts: Sequence[_Counts]) -> bool:
    for search, count in zip(searches, counts, strict=True):
        search.begin(count)
    return True


@dataclass(slots=True)
class _Counts:
    """Pods of a workload at a moment; those that go count for nothing."""

    available: int = 0
    total: int = 0

    def change(self, before: PodState, after: PodState) -> None:
        self.available += (after is PodState.AVAILABLE) - (before is PodState.AVAILABLE)
        self.total += _counts(after) - _counts(before)


def _counts(state: PodState) -> bool:
    return state not in (PodState.GONE, PodState.TERMINATING)


class _Search:
    """Looks for the extremes of one workload, moment by moment; what lasted no time was never so."""

    def __init__(self, desired: int, promise: Promise) -> None:
        self._promise = promise
        self._desired = desired
        self._least: tuple[int, float] | None = None
        self._most: tuple[int, float] | None = None
        self._surge = 0.0
        self._worst_at = 0.0

    def begin(self, counts: _Counts) -> None:
        """What is there when the change is made was there, even if all of it goes at once."""
        self._most = counts.total, 0.0

    def look(self, counts: _Counts, at: float, lasted: float) -> None:
        if self._least is None or counts.available < self._least[0]:
            self._least = counts.available, at
        if counts.available == self._least[0]:
            self._worst_at = at
        if self._most is None or counts.total > self._most[0]:
            self._most = counts.total, at
        self._surge += max(0, counts.total - self._desired) * lasted

    def result(self) -> Extremes:
        least, most = self._least or (0, 0.0), self._most or (0, 0.0)
        return Extremes(
            Extreme(*least, self._promise.least_available),
            Extreme(*most, self._promise.most_pods),
            self._surge,
            self._worst_at,
        )


def _both(before: Workload | None, after: Workload) -> Promise:
    """Between two sizes both are on the way: less may be there than the larger asks for, more than the smaller lets.

    What is new has no pods to begin with.
    """
    if before is None:
        return Promise(None, after.most_pods)
    least = [each.least_available for each in (before, after)]
    most = [each.most_pods for each in (before, after)]
    return Promise(
        None if None in least else min(each for each in least if each is not None),
        None if None in most else max(each for each in most if each is not None),
    )


def _copy(workload: Workload) -> Workload:
    copy = Workload(workload.kind, workload.namespace, workload.name, workload.desired)
    copy.least_available, copy.most_pods = workload.least_available, workload.most_pods
    return copy
