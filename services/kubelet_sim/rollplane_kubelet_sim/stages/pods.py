"""A pod's status, made of its containers' lives (semantics/pod-lifecycle.md sections 3 to 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rollplane.core.v1 import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodCondition,
    PodIP,
    PodStatus,
)
from rollplane.meta.v1 import Time
from rollplane_kubelet_sim.stages.containers import ContainerLife, Exit, State

TRUE, FALSE = "True", "False"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pod runs: addresses, and when the kubelet took it on."""

    host_ip: str
    pod_ip: str
    start: float


def pod_status(
    stored: PodStatus,
    place: Place,
    inits: Sequence[ContainerLife],
    apps: Sequence[ContainerLife],
    policy: str,
    now: float,
) -> PodStatus:
    """Return the status to report, as of ``now``; conditions that have not changed keep their times."""
    status = PodStatus()
    status.CopyFrom(stored)
    initialized = all(_is_done(life) for life in inits)
    status.phase = phase(inits, apps, policy)
    _set_addresses(status, place, running=any(life.state is not State.CREATING for life in (*inits, *apps)))
    del status.init_container_statuses[:]
    status.init_container_statuses.extend(_container_status(life, initializing=False) for life in inits)
    del status.container_statuses[:]
    status.container_statuses.extend(_container_status(life, initializing=not initialized) for life in apps)
    _set_conditions(status, initialized, [life.spec.name for life in apps if not life.ready], now)
    return status


def _is_done(life: ContainerLife) -> bool:
    """Tell whether an init container lets the next one begin: it succeeded, or is a sidecar that has started."""
    if not life.once:
        return life.state is State.RUNNING and life.started
    return life.state is State.EXITED and life.exit is not None and life.exit.code == 0


def phase(inits: Sequence[ContainerLife], apps: Sequence[ContainerLife], policy: str) -> str:
    """Return the phase by the table of section 3, in its order."""
    failed_init = any(life.once and life.state is State.EXITED and not _is_done(life) for life in inits)
    if failed_init and policy == "Never":
        return "Failed"
    never_ran = any(
        life.state in (State.CREATING, State.PULL_FAILED, State.PULL_BACKOFF) and not life.last_exit for life in apps
    )
    if never_ran or not all(_is_done(life) for life in inits):
        return "Pending"
    if any(life.state is State.RUNNING for life in apps) or policy == "Always":
        return "Running"
    if all(life.exit is not None and life.exit.code == 0 for life in apps):
        return "Succeeded"
    return "Failed" if policy == "Never" else "Running"


def _set_addresses(status: PodStatus, place: Place, *, running: bool) -> None:
    status.host_ip = place.host_ip
    status.start_time.seconds = math.floor(place.start)
    if running and not status.pod_ip:
        status.pod_ip = place.pod_ip
        del status.pod_ips[:]
        status.pod_ips.append(PodIP(ip=place.pod_ip))


def _container_status(life: ContainerLife, *, initializing: bool) -> ContainerStatus:
    ran = life.state in (State.RUNNING, State.EXITED, State.CRASH_BACKOFF)
    done = life.once and _is_done(life)
    status = ContainerStatus(
        name=life.spec.name,
        state=_state(life, initializing=initializing),
        last_state=ContainerState(terminated=_terminated(life.last_exit)) if life.last_exit else ContainerState(),
        ready=life.ready or done,
        restart_count=life.restarts,
        image=life.spec.image,
        image_id=f"docker-pullable://{life.spec.image}" if ran else "",
        started=life.state is State.RUNNING and life.started,
    )
    if life.state is State.CRASH_BACKOFF and life.exit:
        status.last_state.terminated.CopyFrom(_terminated(life.exit))
    if ran:
        status.container_id = f"sim://{life.where}/{life.spec.name}/{life.restarts}"
    return status


def _state(life: ContainerLife, *, initializing: bool) -> ContainerState:
    match life.state:
        case State.RUNNING:
            return ContainerState(running=ContainerStateRunning(started_at=_time(life.since)))
        case State.EXITED if life.exit:
            return ContainerState(terminated=_terminated(life.exit))
        case State.CREATING if initializing:
            return ContainerState(waiting=ContainerStateWaiting(reason="PodInitializing"))
        case state:
            return ContainerState(waiting=ContainerStateWaiting(reason=state.value, message=_waiting_message(life)))


def _waiting_message(life: ContainerLife) -> str | None:
    match life.state:
        case State.PULL_FAILED:
            return f'failed to pull image "{life.spec.image}"'
        case State.PULL_BACKOFF:
            return f'Back-off pulling image "{life.spec.image}"'
        case State.CRASH_BACKOFF:
            return f"back-off restarting failed container={life.spec.name} pod={life.where}"
        case _:
            return None


def _terminated(ended: Exit) -> ContainerStateTerminated:
    terminated = ContainerStateTerminated(
        exit_code=ended.code,
        reason=ended.reason,
        started_at=_time(ended.started),
        finished_at=_time(ended.finished),
    )
    if ended.message:
        terminated.message = ended.message
    return terminated


def _time(seconds: float) -> Time:
    return Time(seconds=math.floor(seconds))


def _set_conditions(status: PodStatus, initialized: bool, unready: Sequence[str], now: float) -> None:
    _set_condition(status, "Initialized", _verdict(initialized, "ContainersNotInitialized", ""), now)
    if status.phase == "Succeeded":
        verdict = (FALSE, "PodCompleted", "")
    else:
        names = " ".join(unready)
        verdict = _verdict(not unready, "ContainersNotReady", f"containers with unready status: [{names}]")
    _set_condition(status, "Ready", verdict, now)
    _set_condition(status, "ContainersReady", verdict, now)
    _set_condition(status, "PodScheduled", (TRUE, "", ""), now)


def _verdict(holds: bool, reason: str, message: str) -> tuple[str, str, str]:
    return (TRUE, "", "") if holds else (FALSE, reason, message)


def _set_condition(status: PodStatus, type_: str, verdict: tuple[str, str, str], now: float) -> None:
    """Set a condition in place; its transition time moves only when its status does."""
    value, reason, message = verdict
    condition = next((one for one in status.conditions if one.type == type_), None)
    if condition is None:
        condition = status.conditions.add(type=type_)
    if condition.status != value:
        condition.last_transition_time.CopyFrom(_time(now))
    condition.status = value
    _set_or_clear(condition, "reason", reason)
    _set_or_clear(condition, "message", message)


def _set_or_clear(condition: PodCondition, field: str, text: str) -> None:
    if text:
        setattr(condition, field, text)
    elif getattr(condition, field):
        condition.ClearField("reason" if field == "reason" else "message")
