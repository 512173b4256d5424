"""What ``describe`` tells of a pod beyond its metadata: its status, and each container with its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane.core import v1 as core
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.printing.pod_status import pod_status
from rollplane_machinery.printing.table import or_none
from rollplane_machinery.printing.template_text import container_lines


def pod_lines(pod: core.Pod) -> list[str]:
    """Return status, addresses and containers of ``pod``."""
    lines = [f"Status:\t{pod_status(pod)}"]
    if pod.status.message:
        lines.append(f"Message:\t{pod.status.message}")
    lines.append(f"IP:\t{or_none(pod.status.pod_ip)}")
    if pod.spec.init_containers:
        lines += ["Init Containers:", *_containers(pod.spec.init_containers, pod.status.init_container_statuses)]
    return [*lines, "Containers:", *_containers(pod.spec.containers, pod.status.container_statuses)]


def _containers(specs: Sequence[core.Container], statuses: Sequence[core.ContainerStatus]) -> Iterator[str]:
    by_name = {status.name: status for status in statuses}
    for spec in specs:
        yield f"  {spec.name}:"
        yield from (f"    {line}" for line in container_lines(spec))
        if spec.name in by_name:
            yield from (f"    {line}" for line in _status(by_name[spec.name]))


def _status(status: core.ContainerStatus) -> Iterator[str]:
    yield from _state("State", status.state)
    if status.HasField("last_state") and status.last_state.ListFields():
        yield from _state("Last State", status.last_state)
    yield f"Ready:\t{status.ready}"
    yield f"Restart Count:\t{status.restart_count}"


def _state(title: str, state: core.ContainerState) -> Iterator[str]:
    if state.HasField("running"):
        yield f"{title}:\tRunning"
        yield f"  Started:\t{format_time(state.running.started_at)}"
    elif state.HasField("terminated"):
        ended = state.terminated
        yield f"{title}:\tTerminated"
        yield f"  Reason:\t{ended.reason}"
        yield f"  Exit Code:\t{ended.exit_code}"
        yield f"  Finished:\t{format_time(ended.finished_at)}"
    else:
        yield f"{title}:\tWaiting"
        yield from ([f"  Reason:\t{state.waiting.reason}"] if state.waiting.reason else [])
        yield from ([f"  Message:\t{state.waiting.message}"] if state.waiting.message else [])
