"""What a simulated container has to tell: its life, as far as its pod's stored object shows it, as the lines of a log.

No process runs, so nothing else could be written. The errors are those of a kubelet and of an apiserver that asks it.
Source of the choice of container and of the sentences: kubernetes/kubernetes pkg/registry/core/pod (strategy.go,
LogLocation), pkg/kubelet/kubelet_pods.go (validateContainerLogStatus).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rollplane.core.v1 import (
    ContainerStateTerminated,
    ContainerStatus,
    Pod,
)
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import POD
from rollplane_machinery.times import is_set, to_seconds

CONTAINERS_READY = "ContainersReady"
_PULL_SENTENCES = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``seconds`` since the epoch is when it was written."""

    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """What one run of a container has written so far, in order; ``ended`` when nothing will follow.

    ``run`` counts from 1; 0 is before the first.
    """

    lines: tuple[Line, ...]
    ended: bool
    run: int = 0


NOTHING_YET = Log((), ended=False)


def chosen_container(pod: Pod, name: str) -> str:
    """Return the container meant by ``name``, which may be empty where the pod has but one.

    Raises BadRequestError.
    """
    containers = [container.name for container in pod.spec.containers]
    first = [container.name for container in pod.spec.init_containers]
    asides = [each.ephemeral_container_common.name for each in pod.spec.ephemeral_containers]
    if name:
        if name not in (*containers, *first, *asides):
            raise _bad(pod, f"container {name} is not valid for pod {pod.metadata.name}")
        return name
    if len(containers) == 1:
        return containers[0]
    choice = f"choose one of: [{' '.join(containers)}]"
    if first:
        choice += f" or one of the init containers: [{' '.join(first)}]"
    raise _bad(pod, f"a container name must be specified for pod {pod.metadata.name}, {choice}")


def container_log(pod: Pod, name: str, *, previous: bool = False) -> Log:
    """Return the log of the container ``name``, one of the pod's, or of its run before; raises BadRequestError."""
    if not pod.spec.node_name:
        return NOTHING_YET
    status = _status_of(pod, name)
    if previous:
        if status is None or not status.last_state.HasField("terminated"):
            raise _bad(pod, f'previous terminated container "{name}" in pod "{pod.metadata.name}" not found')
        return _ended_log(status, status.last_state.terminated, max(1, status.restart_count))
    if status is None:
        raise _bad(pod, f'container "{name}" in pod "{pod.metadata.name}" is waiting to start - no logs yet')
    return _present_run(pod, status)


def _present_run(pod: Pod, status: ContainerStatus) -> Log:
    state, runs = status.state, status.restart_count + 1
    if state.HasField("running"):
        return Log(tuple(_running(pod, status, runs)), ended=False, run=runs)
    if state.HasField("terminated"):
        return _ended_log(status, state.terminated, runs)
    if status.last_state.HasField("terminated"):  # between two runs, the one before is what there is to read
        return _ended_log(status, status.last_state.terminated, max(1, runs - 1))
    reason = state.waiting.reason
    what = f'container "{status.name}" in pod "{pod.metadata.name}" is waiting to start'
    if not reason:
        raise _bad(pod, f"{what} - no logs yet")
    raise _bad(pod, f"{what}: {_PULL_SENTENCES.get(reason, reason)}")


def _ended_log(status: ContainerStatus, end: ContainerStateTerminated, run: int) -> Log:
    return Log(tuple(_ended_run(status, end, run)), ended=True, run=run)


def _running(pod: Pod, status: ContainerStatus, runs: int) -> Iterator[Line]:
    started = to_seconds(status.state.running.started_at)
    yield from _start(status, started, runs)
    if runs > 1 and status.last_state.HasField("terminated"):
        yield Line(started, f"the run before {_ending(status.last_state.terminated)}")
    condition = get_condition(pod.status.conditions, CONTAINERS_READY)
    since = started if condition is None else max(started, to_seconds(condition.last_transition_time))
    if status.ready:
        yield Line(since, "ready")
    elif not status.started:
        yield Line(started, "not started up yet: the startup probe has not succeeded")
    else:
        yield Line(since, "not ready: the readiness probe does not succeed")


def _ended_run(status: ContainerStatus, end: ContainerStateTerminated, runs: int) -> Iterator[Line]:
    finished = to_seconds(end.finished_at)
    yield from _start(status, to_seconds(end.started_at) if is_set(end.started_at) else finished, runs)
    for text in end.message.splitlines():
        yield Line(finished, text)
    yield Line(finished, _ending(end))


def _start(status: ContainerStatus, seconds: float, runs: int) -> Iterator[Line]:
    yield Line(seconds, f"image {status.image} is there")
    yield Line(seconds, f"simulated container {status.name} started, run {runs}")


def _ending(end: ContainerStateTerminated) -> str:
    why = f" ({end.reason})" if end.reason else ""
    return f"ended with exit code {end.exit_code}{why}"


def _status_of(pod: Pod, name: str) -> ContainerStatus | None:
    status = pod.status
    known: Iterable[ContainerStatus] = (
        *status.container_statuses,
        *status.init_container_statuses,
        *status.ephemeral_container_statuses,
    )
    return next((one for one in known if one.name == name), None)


def _bad(pod: Pod, message: str) -> BadRequestError:
    return BadRequestError(message, resource=POD.resource, name=pod.metadata.name)
