"""A pod's status, made of its containers' lives (docs/semantics/pod-lifecycle.md sections 3 to 5)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from rollplane.core.v1 import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
    PodIP,
    PodStatus,
)
from rollplane_kubelet_sim.stages.containers import ContainerLife, Exit, State
from rollplane_machinery.frozen import frozen
from rollplane_machinery.pods import FINAL_PHASES, observe_generation
from rollplane_machinery.times import set_time, time_of

TRUE, FALSE = "True", "False"
OWN_CONDITIONS = frozenset({"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"})
_NEVER_STARTED = frozenset(set(State) - {State.RUNNING, State.EXITED, State.CRASH_BACKOFF})


@frozen
class Place:
    """Where a pod runs: addresses, and when the kubelet took it on."""

    host_ip: str
    pod_ip: str
    start: float


def pod_status(
    pod: Pod, place: Place, inits: Sequence[ContainerLife], apps: Sequence[ContainerLife], now: float, *, over: bool
) -> PodStatus:
    """Return the status to report, as of ``now``; conditions that have not changed keep their times.

    ``over`` means nothing is restarted any more, whatever the policy: the phase is a final one.
    """
    status = PodStatus()
    status.CopyFrom(pod.status)
    initialized = is_initialized(inits, apps)
    status.phase = phase(inits, apps, "Never" if over else pod.spec.restart_policy)
    sandbox = has_begun((*inits, *apps))
    _set_addresses(status, place, running=sandbox)
    del status.init_container_statuses[:]
    status.init_container_statuses.extend(_container_status(life, initializing=not initialized) for life in inits)
    del status.container_statuses[:]
    status.container_statuses.extend(_container_status(life, initializing=not initialized) for life in apps)
    unready = [life.spec.name for life in (*inits, *apps) if not life.once and not life.ready]
    verdicts = _Verdicts(status, now)
    has_sandbox = sandbox and not (over or status.phase in FINAL_PHASES)
    verdicts.give("PodReadyToStartContainers", TRUE if has_sandbox else FALSE)
    verdicts.give("Initialized", *_initialized(inits, initialized, status.phase))
    _judge_readiness(verdicts, unready, _closed_gates(pod), status.phase)
    verdicts.give("PodScheduled", TRUE)
    _observe_generation(pod, status)
    return status


def _observe_generation(pod: Pod, status: PodStatus) -> None:
    """Say which generation the status tells of, if the server counts them."""
    if not pod.metadata.generation:
        return
    status.observed_generation = pod.metadata.generation
    for condition in status.conditions:
        if condition.type in OWN_CONDITIONS:
            observe_generation(condition, pod)


def has_begun(containers: Iterable[ContainerLife]) -> bool:
    """Tell whether anything of the pod can be seen on its node: its volumes are mounted then."""
    return any(life.has_run or life.state is not State.CREATING for life in containers)


def is_initialized(inits: Sequence[ContainerLife], apps: Sequence[ContainerLife]) -> bool:
    """Tell whether all init containers are done; once an app container has run they were, whatever sidecars do."""
    return all(life.lets_pass for life in inits) or any(life.has_run for life in apps)


def phase(inits: Sequence[ContainerLife], apps: Sequence[ContainerLife], policy: str) -> str:
    """Return the phase by the table of section 3, in its order."""
    if policy == "Never" and any(life.once and life.state is State.EXITED and not life.lets_pass for life in inits):
        return "Failed"
    never_ran = any(life.state in _NEVER_STARTED and not life.has_run for life in apps)
    if never_ran or not is_initialized(inits, apps):
        return "Pending"
    if any(life.running for life in apps) or policy == "Always":
        return "Running"
    if all(life.exit is not None and life.exit.code == 0 for life in apps):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _set_addresses(status: PodStatus, place: Place, *, running: bool) -> None:
    status.host_ip = place.host_ip
    set_time(status.start_time, place.start)
    if running and place.pod_ip and not status.pod_ip:
        status.pod_ip = place.pod_ip
        del status.pod_ips[:]
        status.pod_ips.append(PodIP(ip=place.pod_ip))


# Containers.


def _container_status(life: ContainerLife, *, initializing: bool) -> ContainerStatus:
    waiting = life.state not in (State.RUNNING, State.EXITED)
    former = life.exit if waiting and life.exit else life.last_exit
    status = ContainerStatus(
        name=life.spec.name,
        state=_state(life, initializing=initializing),
        last_state=ContainerState(terminated=_terminated(former)) if former else ContainerState(),
        ready=life.ready or (life.once and life.lets_pass),
        restart_count=life.restarts,
        image=life.image,
        image_id=f"docker-pullable://{life.image}" if life.has_run else "",
        started=life.running and life.started,
    )
    if life.has_run:
        status.container_id = f"sim://{life.where}/{life.spec.name}/{life.restarts}"
    return status


def _state(life: ContainerLife, *, initializing: bool) -> ContainerState:
    if life.running:
        return ContainerState(running=ContainerStateRunning(started_at=time_of(life.since or 0.0)))
    if life.state is State.EXITED and life.exit:
        return ContainerState(terminated=_terminated(life.exit))
    if life.state is State.CREATING and initializing:
        return ContainerState(waiting=ContainerStateWaiting(reason="PodInitializing"))
    reason = life.reason if life.state is State.START_FAILED else life.state.value
    return ContainerState(waiting=ContainerStateWaiting(reason=reason, message=_waiting_message(life)))


def _waiting_message(life: ContainerLife) -> str | None:
    match life.state:
        case State.INVALID_IMAGE:
            return f'"{life.image}" is not a valid image reference'
        case State.NEVER_PULL:
            return f'Container image "{life.image}" is not present with pull policy of Never'
        case State.PULL_FAILED:
            return f'failed to pull image "{life.image}": {life.cause}'
        case State.PULL_BACKOFF:
            return f'Back-off pulling image "{life.image}": {State.PULL_FAILED.value}: {life.cause}'
        case State.START_FAILED | State.CONFIG_FAILED:
            return life.cause or None
        case State.CRASH_BACKOFF:
            wait = math.floor(life.backoff)
            return f"back-off {wait}s restarting failed container={life.spec.name} pod={life.where}"
        case _:
            return None


def _terminated(ended: Exit) -> ContainerStateTerminated:
    terminated = ContainerStateTerminated(
        exit_code=ended.code,
        reason=ended.reason,
        started_at=time_of(ended.started),
        finished_at=time_of(ended.finished),
    )
    if ended.message:
        terminated.message = ended.message
    return terminated


# Conditions.


class _Verdicts:
    """The conditions of one status; a transition time moves only when its status does."""

    def __init__(self, status: PodStatus, now: float) -> None:
        self._status = status
        self._present = {condition.type: condition for condition in status.conditions}
        self._now = now

    def give(self, type_: str, value: str, reason: str = "", message: str = "") -> None:
        condition = self._present.get(type_)
        if condition is None:
            condition = self._status.conditions.add(type=type_)
        if condition.status != value:
            condition.last_transition_time.CopyFrom(time_of(self._now))
            condition.status = value
        _set_or_clear(condition, "reason", reason)
        _set_or_clear(condition, "message", message)


def _set_or_clear(condition: PodCondition, field: str, text: str) -> None:
    if text:
        setattr(condition, field, text)
    elif getattr(condition, field):
        condition.ClearField("reason" if field == "reason" else "message")


def _initialized(inits: Sequence[ContainerLife], initialized: bool, phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return TRUE, "PodCompleted", ""
    if initialized:
        return TRUE, "", ""
    names = " ".join(life.spec.name for life in inits if not life.lets_pass)
    return FALSE, "ContainersNotInitialized", f"containers with incomplete status: [{names}]"


def _judge_readiness(verdicts: _Verdicts, unready: Sequence[str], gates: Sequence[str], phase: str) -> None:
    containers = _containers_ready(unready, phase)
    if containers[0] == TRUE and gates:
        verdicts.give("Ready", FALSE, "ReadinessGatesNotReady", "; ".join(gates))
    else:
        verdicts.give("Ready", *containers)
    verdicts.give("ContainersReady", *containers)


def _containers_ready(unready: Sequence[str], phase: str) -> tuple[str, str, str]:
    if phase == "Succeeded":
        return FALSE, "PodCompleted", ""
    if unready:
        return FALSE, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    return TRUE, "", ""


def _closed_gates(pod: Pod) -> list[str]:
    return list(_closed(pod)) if pod.spec.readiness_gates else []


def _closed(pod: Pod) -> Iterator[str]:
    given = {condition.type: condition.status for condition in pod.status.conditions}
    for gate in pod.spec.readiness_gates:
        type_ = gate.condition_type
        if type_ not in given:
            yield f'the condition of readiness gate "{type_}" does not exist'
        elif given[type_] != TRUE:
            yield f'the condition of readiness gate "{type_}" is {given[type_]}'
