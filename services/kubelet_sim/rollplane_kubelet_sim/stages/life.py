"""A pod's whole life on its node: taking it on, its containers' steps, orders from outside, and its end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rollplane.core.v1 import Container, ContainerState, ContainerStatus, Pod, PodStatus
from rollplane_kubelet_sim.stages import containers
from rollplane_kubelet_sim.stages.containers import ContainerLife, Exit, Note, State
from rollplane_kubelet_sim.stages.pods import Place, pod_status
from rollplane_kubelet_sim.stages.rules import Profile, Stage, Subject

COMMAND_ANNOTATION = "sim.rollplane.dev/do"
"""An order to one pod's kubelet: ``ready``, ``unready``, ``crash`` or ``finish``. It is taken off when carried out."""
NOT_BEGUN = 0.0
"""The time of a container whose turn has not come: init containers before it are not done."""
FINAL_PHASES = frozenset({"Succeeded", "Failed"})


class Order(StrEnum):
    """What a pod can be told (rollplane sim)."""

    READY = "ready"
    UNREADY = "unready"
    CRASH = "crash"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a look at a pod came to.

    ``status`` is to be reported, None when nothing changed. ``ended`` means the pod is to be removed. ``due`` is when
    to look again, None when only an event can bring news. ``obeyed`` means its order was carried out.
    """

    status: PodStatus | None
    due: float | None
    notes: Sequence[Note] = ()
    ended: bool = False
    obeyed: bool = False


class PodLife:
    """One pod on a simulated node. Not more than the stored status is needed to take it up again after a restart."""

    def __init__(self, pod: Pod, place: Place) -> None:
        self.pod = pod
        stored = pod.status.start_time.seconds if pod.status.HasField("start_time") else None
        self.place = place if stored is None else Place(place.host_ip, pod.status.pod_ip or place.pod_ip, float(stored))
        self._inits = [self._restore(spec, pod.status.init_container_statuses) for spec in pod.spec.init_containers]
        self._apps = [self._restore(spec, pod.status.container_statuses) for spec in pod.spec.containers]
        for life in self._inits:
            life.once = life.spec.restart_policy != "Always"
        for life in [*self._inits[1:], *self._apps] if self._inits else []:
            if life.state is State.CREATING:
                life.since = NOT_BEGUN

    def observe(self, pod: Pod) -> None:
        """Take note of the pod as now stored: its deletion mark, orders, conditions others have written."""
        self.pod = pod

    def advance(self, profile: Profile, now: float) -> Progress:
        """Carry out an order, take every step that is due, and return what has come of it."""
        if self.pod.status.phase in FINAL_PHASES and not self._is_marked():
            return Progress(None, None)
        obeyed = self._obey(profile, now)
        if self._is_marked():
            return self._end(profile, now, obeyed=obeyed)
        if not profile.manual:
            self._take_steps(profile, now)
        status = self._status(now)
        told = obeyed is not None
        news = status if told or status != self.pod.status else None
        return Progress(news, self._next_due(profile), tuple(self._notes()), obeyed=told)

    # Steps.

    def _take_steps(self, profile: Profile, now: float) -> None:
        """Advance the containers whose turn it is until nothing more is due."""
        policy = self.pod.spec.restart_policy
        self._hand_over(now)
        while any(life.advance(profile, now) for life in self._in_turn()):
            for life in self._in_turn():
                if life.state is State.EXITED and _restarts(life, policy):
                    containers.restart(life, profile)
            self._hand_over(now)

    def _in_turn(self) -> Iterator[ContainerLife]:
        """Yield the containers that may move: init containers up to the first unfinished one, else all others."""
        for life in self._inits:
            yield life
            if not _lets_pass(life):
                return
        yield from self._apps

    def _hand_over(self, now: float) -> None:
        """Start the clock of containers whose turn has just come."""
        for life in self._in_turn():
            if life.state is State.CREATING and life.since == NOT_BEGUN:
                life.since = now

    def _next_due(self, profile: Profile) -> float | None:
        if profile.manual:
            return None
        dues = [due for life in self._in_turn() if (due := life.next_due(profile)) is not None]
        return min(dues, default=None)

    # Orders.

    def _obey(self, profile: Profile, now: float) -> Order | None:
        """Carry out the order the pod's annotation gives, if it gives one; unknown words are no orders."""
        word = self.pod.metadata.annotations.get(COMMAND_ANNOTATION, "")
        if word not in list(Order):
            return None
        order = Order(word)
        if order is Order.CRASH:
            self._crash_all(profile, now)
        elif order is not Order.FINISH:
            self._set_ready(now, ready=order is Order.READY)
        return order

    def _crash_all(self, profile: Profile, now: float) -> None:
        for life in self._apps:
            if life.state is State.RUNNING:
                containers.crash(life, now)
                if _restarts(life, self.pod.spec.restart_policy):
                    containers.restart(life, profile)

    def _set_ready(self, now: float, *, ready: bool) -> None:
        for life in self._inits:
            if not _lets_pass(life):
                life.state, life.exit = State.EXITED, Exit(0, "Completed", now, now)
        for life in self._apps:
            if life.state is not State.RUNNING:
                life.restarts += life.exit is not None
                life.last_exit = life.exit or life.last_exit
                life.state, life.since, life.exit = State.RUNNING, now, None
            life.started = True
            if ready != life.ready:
                life.ready_since = now if ready else None

    # The end.

    def _is_marked(self) -> bool:
        return self.pod.metadata.HasField("deletion_timestamp")

    def _end(self, profile: Profile, now: float, *, obeyed: Order | None) -> Progress:
        """A marked pod ends when its containers have shut down, at the latest when its grace is over."""
        due = self._end_due(profile)
        if obeyed is not Order.FINISH and (due is None or due > now):
            return Progress(None, due)
        notes = tuple(Note("Killing", f"Stopping container {life.spec.name}") for life in self._apps)
        if due is None or due <= self._marked_at():
            return Progress(None, None, notes, ended=True)
        for life in self._apps:
            if life.state is State.RUNNING:
                containers.crash(life, now, 0)
        return Progress(self._status(now), None, notes, ended=True)

    def _marked_at(self) -> float:
        metadata = self.pod.metadata
        return float(metadata.deletion_timestamp.seconds - metadata.deletion_grace_period_seconds)

    def _end_due(self, profile: Profile) -> float | None:
        """Return when the pod will have ended; None when it waits for an order."""
        if profile.manual:
            return None
        grace = float(self.pod.metadata.deletion_grace_period_seconds)
        delays = [life.rule(Stage.TERMINATE, profile, 0)[1] for life in self._apps]
        return self._marked_at() + min(grace, max(delays, default=0.0))

    # Status.

    def _status(self, now: float) -> PodStatus:
        return pod_status(self.pod.status, self.place, self._inits, self._apps, self.pod.spec.restart_policy, now)

    def _notes(self) -> Iterator[Note]:
        for life in (*self._inits, *self._apps):
            yield from life.notes
            life.notes.clear()

    def _restore(self, spec: Container, stored: Sequence[ContainerStatus]) -> ContainerLife:
        """Return a container's life as its stored status tells it; without one it has yet to begin."""
        metadata = self.pod.metadata
        subject = Subject(spec.image, self.pod.spec.node_name, dict(metadata.labels), dict(metadata.annotations))
        life = ContainerLife(spec, subject, f"{metadata.namespace}/{metadata.name}", since=self.place.start)
        status = next((one for one in stored if one.name == spec.name), None)
        return _resume(life, status, self._ready_time()) if status else life

    def _ready_time(self) -> float:
        times = [one.last_transition_time.seconds for one in self.pod.status.conditions if one.type == "Ready"]
        return float(times[0]) if times else self.place.start


def _lets_pass(life: ContainerLife) -> bool:
    if not life.once:
        return life.state is State.RUNNING and life.started
    return life.state is State.EXITED and life.exit is not None and life.exit.code == 0


def _restarts(life: ContainerLife, policy: str) -> bool:
    """Tell whether the restart policy brings an exited container back."""
    if life.exit is None or (life.once and life.exit.code == 0):
        return False
    return policy == "Always" or (policy == "OnFailure" and life.exit.code != 0)


def _resume(life: ContainerLife, status: ContainerStatus, ready_time: float) -> ContainerLife:
    state = status.state
    life.restarts, life.started = status.restart_count, status.started
    if status.last_state.HasField("terminated"):
        life.last_exit = _exit(status.last_state)
    if state.HasField("running"):
        life.state, life.since = State.RUNNING, float(state.running.started_at.seconds)
        life.ready_since = ready_time if status.ready else None
    elif state.HasField("terminated"):
        life.state, life.exit = State.EXITED, _exit(state)
    elif state.waiting.reason == State.CRASH_BACKOFF.value and life.last_exit:
        life.state, life.exit, life.since = State.CRASH_BACKOFF, life.last_exit, life.last_exit.finished
    elif re.fullmatch("ErrImagePull|ImagePullBackOff", state.waiting.reason):
        # The stored status does not tell when the pull failed; like a restarted kubelet, pull again at once.
        life.state = State.CREATING
    return life


def _exit(state: ContainerState) -> Exit:
    ended = state.terminated
    return Exit(
        ended.exit_code, ended.reason, float(ended.started_at.seconds), float(ended.finished_at.seconds), ended.message
    )
