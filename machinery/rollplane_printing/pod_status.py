"""The one word that says how a pod is, its ready count and its restarts.

Source of the rules: docs/semantics/kubectl-surface.md section 4, docs/semantics/pod-lifecycle.md section 12.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from rollplane.core.v1 import ContainerState, ContainerStatus, Pod
from rollplane_machinery.conditions import get_condition, is_true
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pod_totals import is_sidecar
from rollplane_machinery.pods import POD_INITIALIZED, POD_SCHEDULED, SCHEDULING_GATED, is_pod_ready
from rollplane_machinery.times import to_seconds

NODE_LOST = "NodeLost"
"""The reason of a pod whose node is gone: it may or may not still run."""


class PodSummary(NamedTuple):
    """``status`` is kubectl's STATUS; ``restarts`` counts those of the containers that matter at this time.

    ``last_restart`` is when one of them last ended, in seconds since the epoch, 0.0 for never.
    """

    status: str
    ready: int
    total: int
    restarts: int
    last_restart: float = 0.0


def pod_summary(pod: Pod) -> PodSummary:
    """Return how ``pod`` is shown in one line."""
    spec, status = pod.spec, pod.status
    containers = list(status.container_statuses)
    if not (spec.init_containers or status.init_container_statuses):
        word, ready = _app_status(pod, containers, None), _count_ready(containers)
        return PodSummary(_as_deleted(pod, word), ready, len(spec.containers), *_restarts(containers))
    names = _sidecar_names(pod)
    init = list(status.init_container_statuses)
    # Init containers that go on running count like app containers once the pod has started.
    sidecars = [each for each in init if each.name in names]
    initializing = _init_status(init, names, len(spec.init_containers))
    ready = sum(bool(each.started) and each.ready for each in sidecars)
    if initializing is not None and not is_true(status.conditions, POD_INITIALIZED):
        word, counted = initializing, init
    else:
        word, counted = _app_status(pod, containers, initializing), containers + sidecars
        ready += _count_ready(containers)
    return PodSummary(_as_deleted(pod, word), ready, len(spec.containers) + len(names), *_restarts(counted))


def _count_ready(statuses: Sequence[ContainerStatus]) -> int:
    return len([each for each in statuses if each.ready and each.state.HasField("running")])


def _restarts(statuses: Sequence[ContainerStatus]) -> tuple[int, float]:
    """How often containers were restarted, and when one last ended, which no unrestarted one did."""
    count = sum([each.restart_count for each in statuses])
    if not count:
        return 0, 0.0
    return count, max([to_seconds(each.last_state.terminated.finished_at) for each in statuses])


def pod_status(pod: Pod) -> str:
    """Return the word alone: ``Running``, ``ImagePullBackOff``, ``Init:0/2``, ``Terminating``."""
    return pod_summary(pod).status


def _as_deleted(pod: Pod, word: str) -> str:
    if not is_being_deleted(pod.metadata):
        return word
    return "Unknown" if pod.status.reason == NODE_LOST else "Terminating"


def _init_status(statuses: Sequence[ContainerStatus], sidecars: Container[str], total: int) -> str | None:
    """``Init:…`` while one of ``total`` init containers keeps the pod from starting, else None."""
    for at, each in enumerate(statuses):
        if _lets_next_begin(each, is_sidecar=each.name in sidecars):
            continue
        return f"Init:{_init_word(each.state, at, total)}"
    return None


def _lets_next_begin(status: ContainerStatus, *, is_sidecar: bool) -> bool:
    if is_sidecar and status.started:
        return True
    return status.state.HasField("terminated") and status.state.terminated.exit_code == 0


def _init_word(state: ContainerState, at: int, total: int) -> str:
    if state.HasField("terminated"):
        return _terminated_word(state)
    if state.HasField("waiting") and state.waiting.reason not in ("", "PodInitializing"):
        return state.waiting.reason
    return f"{at}/{total}"


def _app_status(pod: Pod, containers: Sequence[ContainerStatus], initializing: str | None) -> str:
    """The first container's trouble wins, so they are gone through from the last to the first.

    ``initializing`` is what a sidecar that went down later has to say: it is told where no container says more.
    """
    word = initializing or _word_of_pod(pod)
    running = False
    for each in reversed(containers):
        state = each.state
        if state.HasField("waiting") and state.waiting.reason:
            word = state.waiting.reason
        elif state.HasField("terminated"):
            word = _terminated_word(state)
        elif each.ready and state.HasField("running"):
            running = True
    if word == "Completed" and running:
        ready = is_pod_ready(pod)
        return "Running" if ready else "NotReady"
    return word


def _word_of_pod(pod: Pod) -> str:
    scheduled = get_condition(pod.status.conditions, POD_SCHEDULED)
    if scheduled is not None and scheduled.reason == SCHEDULING_GATED:
        return SCHEDULING_GATED
    return pod.status.reason or pod.status.phase


def _terminated_word(state: ContainerState) -> str:
    ended = state.terminated
    if ended.reason:
        return ended.reason
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"


def _sidecar_names(pod: Pod) -> frozenset[str]:
    return frozenset(each.name for each in pod.spec.init_containers if is_sidecar(each))
