"""The one word that says how a pod is, its ready count and its restarts.

Source of the rules: docs/semantics/kubectl-surface.md section 4, docs/semantics/pod-lifecycle.md section 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane.core.v1 import ContainerState, ContainerStatus, Pod
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready

NODE_LOST = "NodeLost"
"""The reason of a pod whose node is gone: it may or may not still run."""


@dataclass(frozen=True, slots=True)
class PodSummary:
    """``status`` is kubectl's STATUS; ``restarts`` counts those of the containers that matter at this time."""

    status: str
    ready: int
    total: int
    restarts: int


def pod_summary(pod: Pod) -> PodSummary:
    """Return how ``pod`` is shown in one line."""
    status = pod.status
    initializing = _init_status(pod)
    containers = list(status.container_statuses)
    ready = sum(each.ready and each.state.HasField("running") for each in containers)
    if initializing is not None:
        word, counted = initializing, list(status.init_container_statuses)
    else:
        word, counted = _app_status(pod, containers), containers + _sidecars(pod)
    restarts = sum(each.restart_count for each in counted)
    total = len(pod.spec.containers)
    return PodSummary(_as_deleted(pod, word), ready, total, restarts)


def pod_status(pod: Pod) -> str:
    """Return the word alone: ``Running``, ``ImagePullBackOff``, ``Init:0/2``, ``Terminating``."""
    return pod_summary(pod).status


def _as_deleted(pod: Pod, word: str) -> str:
    if not is_being_deleted(pod.metadata):
        return word
    return "Unknown" if pod.status.reason == NODE_LOST else "Terminating"


def _init_status(pod: Pod) -> str | None:
    """``Init:…`` while init containers keep the pod from starting, else None."""
    sidecars = {each.name for each in pod.spec.init_containers if each.restart_policy == "Always"}
    for at, each in enumerate(pod.status.init_container_statuses):
        if _lets_next_begin(each, is_sidecar=each.name in sidecars):
            continue
        return f"Init:{_init_word(each.state, at, len(pod.spec.init_containers))}"
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


def _app_status(pod: Pod, containers: Sequence[ContainerStatus]) -> str:
    """The first container's trouble wins, so they are gone through from the last to the first."""
    word = pod.status.reason or pod.status.phase
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


def _terminated_word(state: ContainerState) -> str:
    ended = state.terminated
    if ended.reason:
        return ended.reason
    return f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"


def _sidecars(pod: Pod) -> list[ContainerStatus]:
    """Init containers that go on running count like app containers once the pod has started."""
    names = {each.name for each in pod.spec.init_containers if each.restart_policy == "Always"}
    return [each for each in pod.status.init_container_statuses if each.name in names]
