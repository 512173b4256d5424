"""A pod's whole life on its node: taking it on, its containers' steps, orders from outside, and its end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rollplane.core.v1 import Pod, PodStatus
from rollplane_kubelet_sim.stages import steps
from rollplane_kubelet_sim.stages.containers import KILLED, ContainerLife, Note, State
from rollplane_kubelet_sim.stages.orders import Order, annotations_after, is_held, obey, order_of
from rollplane_kubelet_sim.stages.pods import Place, has_begun, pod_status
from rollplane_kubelet_sim.stages.references import NOTHING_MISSING, Missing
from rollplane_kubelet_sim.stages.restoring import restore, subject_of
from rollplane_kubelet_sim.stages.rules import Profile, Stage
from rollplane_kubelet_sim.stages.steps import Step
from rollplane_machinery.frozen import frozen
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import FINAL_PHASES, is_pod_finished
from rollplane_machinery.releases import LATEST, Release

DEADLINE = "DeadlineExceeded"


@frozen
class Progress:
    """What a look at a pod came to.

    ``status`` is to be reported, None when nothing changed. ``ended`` means the pod is to be removed. ``due`` is when
    to look again, None when only an event can bring news. ``annotations`` are to be reported along with the status when
    the pod's order has been dealt with, else None.
    """

    status: PodStatus | None
    due: float | None
    notes: Sequence[Note] = ()
    ended: bool = False
    annotations: Mapping[str, str] | None = None


class PodLife:
    """One pod on a simulated node. Not more than the stored status is needed to take it up again after a restart.

    ``place`` is where and since when it runs: a pod that has a start time or an address keeps it. ``release`` is its
    kubelet's.
    """

    def __init__(self, pod: Pod, place: Place, release: Release = LATEST) -> None:
        self.pod = pod
        stored = pod.status
        start = float(stored.start_time.seconds) if stored.HasField("start_time") else place.start
        self.place = Place(place.host_ip, stored.pod_ip or place.pod_ip, start)
        self._inits = [
            restore(pod, spec, stored.init_container_statuses, start, release, init=True)
            for spec in pod.spec.init_containers
        ]
        self._apps = [
            restore(pod, spec, stored.container_statuses, start, release, init=False) for spec in pod.spec.containers
        ]
        self._count_creation_from_its_turn()
        self._profile: Profile | None = None
        self._missing = NOTHING_MISSING
        self._is_mounted = has_begun(self._containers())
        self._looked = place.start
        self._ending_since: float | None = None

    def _count_creation_from_its_turn(self) -> None:
        """A container that is being created began with its turn, which is stored of those before it."""
        for life, gate in self._in_turn():
            if life.state is State.CREATING and life.since is not None:
                life.since = max(life.since, gate)

    @property
    def remembers(self) -> bool:
        """Whether anything is known here that the stored status does not tell."""
        return any(life.remembers for life in self._containers())

    def observe(self, pod: Pod) -> None:
        """Take note of the pod as now stored: its deletion mark, images, orders, conditions others have written."""
        self.pod = pod
        held = is_held(pod)
        for lives, specs in ((self._inits, pod.spec.init_containers), (self._apps, pod.spec.containers)):
            for life, spec in zip(lives, specs, strict=True):
                life.take_spec(spec, subject_of(pod, spec), held=held)

    def advance(self, profile: Profile, now: float, missing: Missing = NOTHING_MISSING) -> Progress:
        """Carry out an order, take every step that is due, and return what has come of it.

        ``missing`` is what is not there now of what the pod refers to.
        """
        was_mounted = self._is_mounted
        mounts = self._take_missing(missing, now)
        # A profile that is new, to us too, changes nothing that has been: what it makes overdue happens now.
        not_before = self._looked if profile is self._profile and was_mounted else now
        self._profile, self._looked = profile, max(now, self._looked)
        if self._is_marked():
            return self._end(profile, now)
        word = order_of(self.pod)
        if is_pod_finished(self.pod):
            return Progress(self.pod.status if word else None, None, annotations=self._left_after(word))
        orders = self._obey(word, profile, now) if word else ()
        if not profile.manual:
            self._take_steps(profile, not_before, now if self._deadline is None else min(now, self._deadline))
        status = self._deadline_status(now) if self._is_past_deadline(profile, now) else self._status(now)
        due = None if status.phase in FINAL_PHASES else self._next_due(profile)
        news = status if word or status != self.pod.status else None
        return Progress(news, due, (*mounts, *orders, *self._notes()), annotations=self._left_after(word))

    # What it refers to.

    def _take_missing(self, missing: Missing, now: float) -> Sequence[Note]:
        """Live by what is missing now: volumes are mounted once, before anything begins."""
        for life in self._containers():
            life.take_lacking(missing.containers.get(life.spec.name, ""), now)
        former, self._missing = self._missing, missing
        self._is_mounted = self._is_mounted or not missing.volumes
        if self._is_mounted or missing.volumes == former.volumes:
            return ()
        return tuple(Note("FailedMount", fault, warning=True) for fault in missing.volumes)

    # Steps.

    def _containers(self) -> Iterator[ContainerLife]:
        yield from self._inits
        yield from self._apps

    def _take_steps(self, profile: Profile, not_before: float, now: float) -> None:
        """Advance the containers whose turn it is until nothing more is due."""
        at = min(not_before, now)
        if not (self._is_mounted or has_begun(self._containers())):
            self._wait_for_mounts()
            return
        for life in self._containers():
            if life.image != life.spec.image:
                life.take_image(now)
        while not self._is_over():
            due, step = self._next_step(profile, at)
            if step is None or due > now:
                return
            step(due)
        for life in self._inits:
            if life.sidecar and life.running:
                life.end(now, 0)

    def _wait_for_mounts(self) -> None:
        """Nothing has its turn: what would come next counts from the time at which all volumes are mounted."""
        for life in self._containers():
            life.since = None

    def _is_over(self) -> bool:
        """Tell whether nothing will run any more: an init container or all app containers have ended for good."""
        if any(life.once and life.over and not life.lets_pass for life in self._inits):
            return True
        return bool(self._apps) and all(life.over for life in self._apps)

    def _in_turn(self) -> Iterator[tuple[ContainerLife, float]]:
        """Yield the containers that may move, each with the time since when those before it let it.

        Init containers up to the first unfinished one, else all others; once app containers have run, they go on
        regardless, and the time is 0.
        """
        gate, begun = 0.0, not self._inits or any(life.has_run for life in self._apps)
        for life in self._inits:
            yield life, gate
            passed = life.passed_at
            if not begun:
                if passed is None:
                    return
                gate = max(gate, passed)
        for life in self._apps:
            yield life, gate

    def _next_step(self, profile: Profile, at: float) -> tuple[float, Step | None]:
        """Return the earliest step of all containers in turn, and when it happens: when due, but not before ``at``.

        Starts the clock of containers whose turn has just come. One whose turn was taken away, by a sidecar that went
        down, goes on when it has its turn again.
        """
        earliest: tuple[float, Step | None] = (math.inf, None)
        for life, gate in self._in_turn():
            if life.since is None:
                life.since = max(at, gate)
            found = steps.next_step(life, profile)
            if found is not None and (happens := max(found[0], at, gate)) < earliest[0]:
                earliest = happens, found[1]
        return earliest

    def _next_due(self, profile: Profile) -> float | None:
        if profile.manual or self._is_over():
            return None
        dues = [found[0] for life, _ in self._in_turn() if (found := steps.next_step(life, profile)) is not None]
        if self._deadline is not None:
            dues.append(self._deadline)
        return min(dues, default=None)

    # Orders and the deadline.

    def _obey(self, word: str, profile: Profile, now: float) -> Sequence[Note]:
        if word not in list(Order):
            return (Note("UnknownOrder", f"{word!r} is no order: {', '.join(Order)}", warning=True),)
        obey(Order(word), self._inits, self._apps, now, manual=profile.manual)
        return ()

    def _left_after(self, word: str) -> Mapping[str, str] | None:
        return annotations_after(self.pod) if word else None

    @property
    def _deadline(self) -> float | None:
        seconds = self.pod.spec.active_deadline_seconds
        return self.place.start + seconds if seconds else None

    def _is_past_deadline(self, profile: Profile, now: float) -> bool:
        return self._deadline is not None and self._deadline <= now and not profile.manual and not self._is_over()

    def _deadline_status(self, now: float) -> PodStatus:
        """Fail the pod as a whole: what runs is killed, and nothing is restarted."""
        for life in self._containers():
            if life.running:
                life.end(now, KILLED, DEADLINE)
        status = self._status(now, over=True)
        status.phase, status.reason = "Failed", DEADLINE
        status.message = "Pod was active on the node longer than the specified deadline"
        return status

    # The end.

    def _is_marked(self) -> bool:
        return is_being_deleted(self.pod.metadata)

    def _end(self, profile: Profile, now: float) -> Progress:
        """A marked pod ends when its containers have shut down, at the latest when its grace is over."""
        sidecars = [life for life in self._inits if life.sidecar]
        others = [life for life in self._containers() if not life.sidecar]
        running = [life for life in (*others, *reversed(sidecars)) if life.running]
        notes = self._begin_ending(running, now)
        word = order_of(self.pod)
        seconds, codes = self._shutdown(running, profile)
        due = None if profile.manual else (self._ending_since or 0.0) + seconds
        if word != Order.FINISH and (due is None or due > now):
            return Progress(self.pod.status if word else None, due, notes, annotations=self._left_after(word))
        if not running or seconds <= 0:
            return Progress(None, None, notes, ended=True)
        for life, code in zip(running, codes, strict=True):
            life.end(now, 0 if word == Order.FINISH else code)
        return Progress(self._status(now, over=True), None, notes, ended=True, annotations=self._left_after(word))

    def _begin_ending(self, running: Sequence[ContainerLife], now: float) -> Sequence[Note]:
        if self._ending_since is not None:
            return ()
        metadata = self.pod.metadata
        # The mark is cut to the second: the kubelet's own clock tells the rest, when it notices at once.
        marked = float(metadata.deletion_timestamp.seconds - metadata.deletion_grace_period_seconds)
        self._ending_since = min(now, marked + 1.0)
        return tuple(Note("Killing", f"Stopping container {life.spec.name}", field=life.field) for life in running)

    def _shutdown(self, running: Sequence[ContainerLife], profile: Profile) -> tuple[float, list[int]]:
        """Return how many seconds ``running``, sidecars last, take to shut down, and the exit code of each.

        The others shut down together, then one sidecar after another; all share one grace period.
        """
        grace = float(self.pod.metadata.deletion_grace_period_seconds)
        longest, codes = 0.0, []
        for life in running:
            rule, seconds = life.rule(Stage.TERMINATE, profile, 0)
            end = longest + seconds if life.sidecar else seconds
            in_time = (rule.exit_code if rule else None) or 0
            codes.append(in_time if end <= grace else KILLED)
            longest = max(longest, end)
        return min(longest, grace), codes

    # Status.

    def _status(self, now: float, *, over: bool = False) -> PodStatus:
        return pod_status(self.pod, self.place, self._inits, self._apps, now, over=over)

    def _notes(self) -> Iterator[Note]:
        for life in self._containers():
            yield from life.notes
            life.notes.clear()
