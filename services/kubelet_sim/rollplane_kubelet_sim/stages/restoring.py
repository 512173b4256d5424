"""A container's life taken up again from its stored status, as after a restart of the kubelet.

What a status does not tell is forgotten, as a real kubelet forgets it: how many pulls have failed, how often readiness
was lost, fractions of a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rollplane.core.v1 import Container, ContainerState, ContainerStateWaiting, ContainerStatus, Pod
from rollplane_kubelet_sim.stages.backoff import FORGET_AFTER_SECONDS
from rollplane_kubelet_sim.stages.containers import ContainerLife, Exit, State
from rollplane_kubelet_sim.stages.orders import is_held
from rollplane_kubelet_sim.stages.rules import Subject
from rollplane_machinery.releases import Release

_PULL_TEXT = re.compile(r'(failed to pull|Back-off pulling) image "[^"]*": (ErrImagePull: )?')
"""What a waiting container's message says before the cause."""
_TURN_TO_COME = ("", "PodInitializing")


def subject_of(pod: Pod, container: Container) -> Subject:
    """Return what selectors see of a container."""
    policy = container.restart_policy or pod.spec.restart_policy
    return Subject(container.image, pod.spec.node_name, pod.metadata.labels, pod.metadata.annotations, policy)


def policy_of(pod: Pod, container: Container, *, init: bool) -> str:
    """Return the restart policy that holds for a container; an init container is not restarted once it succeeded."""
    pods = pod.spec.restart_policy or "Always"
    if not init:
        return pods
    if container.restart_policy == "Always":
        return "Always"
    return "Never" if pods == "Never" else "OnFailure"


def restore(
    pod: Pod, container: Container, stored: Sequence[ContainerStatus], start: float, release: Release, *, init: bool
) -> ContainerLife:
    """Return a container's life as its stored status tells it; without one it has yet to begin."""
    where = f"{pod.metadata.namespace}/{pod.metadata.name}"
    policy = policy_of(pod, container, init=init)
    life = ContainerLife(
        container,
        subject_of(pod, container),
        where,
        policy,
        container.image,
        release.pull_sentence,
        release.start_sentence,
        init,
    )
    life.held = is_held(pod)
    if not stored:
        return life
    for status in stored:
        if status.name == container.name:
            _resume(life, status, start, _ready_time(pod, start))
    return life


def _ready_time(pod: Pod, start: float) -> float:
    times = [one.last_transition_time.seconds for one in pod.status.conditions if one.type == "ContainersReady"]
    return float(times[0]) if times else start


def _resume(life: ContainerLife, status: ContainerStatus, start: float, ready_time: float) -> None:
    state = status.state
    life.restarts, life.image = status.restart_count, status.image or life.image
    if status.last_state.HasField("terminated"):
        life.last_exit = _exit(status.last_state)
    life.streak = _streak(life.last_exit, status.restart_count)
    if state.HasField("running"):
        life.state, life.since = State.RUNNING, float(state.running.started_at.seconds)
        life.started_at = life.since if status.started else None
        life.ready_since = max(ready_time, life.since) if status.ready else None
    elif state.HasField("terminated"):
        life.state, life.exit = State.EXITED, _exit(state)
        life.since = life.exit.finished
        life.streak = _streak(life.exit, status.restart_count + 1)
    else:
        _resume_waiting(life, state.waiting, start)


def _resume_waiting(life: ContainerLife, waiting: ContainerStateWaiting, start: float) -> None:
    reason = waiting.reason
    if life.last_exit is not None:
        # A waiting container shows its present exit as the last state, and no longer the one before.
        life.exit, life.last_exit = life.last_exit, None
        life.streak = _streak(life.exit, life.restarts + 1)
    if reason in _TURN_TO_COME:
        return
    life.since = start if life.exit is None else life.exit.finished
    if reason == State.CRASH_BACKOFF.value and life.exit is not None:
        life.state, life.since = State.CRASH_BACKOFF, life.exit.finished
    elif reason in (State.PULL_FAILED.value, State.PULL_BACKOFF.value):
        # When the pull failed is not stored: pull again at once, and say no other thing until that is decided.
        life.state, life.cause = State.PULL_BACKOFF, _PULL_TEXT.sub("", waiting.message)
    elif reason == State.NEVER_PULL.value:
        life.state = State.NEVER_PULL
    elif reason == State.INVALID_IMAGE.value:
        life.state = State.INVALID_IMAGE
    elif reason == State.CONFIG_FAILED.value:
        life.state, life.cause = State.CONFIG_FAILED, waiting.message
    elif reason != State.CREATING.value:
        life.state, life.reason, life.cause = State.START_FAILED, reason, waiting.message


def _streak(exit_: Exit | None, exits: int) -> int:
    """Return the exits in a row, as far as can be told: all there were, or one when it ended a long run."""
    if exit_ is not None and exit_.finished - exit_.started >= FORGET_AFTER_SECONDS:
        return 1
    return exits


def _exit(state: ContainerState) -> Exit:
    ended = state.terminated
    return Exit(
        ended.exit_code, ended.reason, float(ended.started_at.seconds), float(ended.finished_at.seconds), ended.message
    )
