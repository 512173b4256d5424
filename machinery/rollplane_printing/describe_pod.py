"""What ``describe`` tells of a pod beyond its metadata: its status, and each container with its state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane.core import v1 as core
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.qos import qos_class
from rollplane_printing.describe_parts import date_text, head
from rollplane_printing.pod_status import pod_status
from rollplane_printing.table import NONE, or_none
from rollplane_printing.template_text import (
    container_lines,
    listed,
    pairs,
    toleration_text,
    volume_lines,
)


def pod_lines(pod: core.Pod) -> list[str]:
    """Return metadata, status, addresses and containers of ``pod``."""
    spec, status = pod.spec, pod.status
    lines = head(pod.metadata, "Name", "Namespace")
    if spec.HasField("priority"):
        lines.append(f"Priority:\t{spec.priority}")
    if spec.priority_class_name:
        lines.append(f"Priority Class Name:\t{spec.priority_class_name}")
    if spec.service_account_name:
        lines.append(f"Service Account:\t{spec.service_account_name}")
    lines.append(f"Node:\t{or_none('/'.join(filter(None, (spec.node_name, status.host_ip))))}")
    if status.HasField("start_time"):
        lines.append(f"Start Time:\t{date_text(status.start_time)}")
    lines += [*head(pod.metadata, "Labels", "Annotations"), *_status_lines(pod), *head(pod.metadata, "Controlled By")]
    if status.nominated_node_name:
        lines.append(f"NominatedNodeName:\t{status.nominated_node_name}")
    if spec.init_containers:
        lines += ["Init Containers:", *_containers(spec.init_containers, status.init_container_statuses)]
    return [*lines, "Containers:", *_containers(spec.containers, status.container_statuses)]


def _status_lines(pod: core.Pod) -> list[str]:
    lines = [f"Status:\t{pod_status(pod)}"]
    if is_being_deleted(pod.metadata):
        lines.append(f"Termination Grace Period:\t{pod.metadata.deletion_grace_period_seconds}s")
    lines += [f"Reason:\t{pod.status.reason}"] if pod.status.reason else []
    lines += [f"Message:\t{pod.status.message}"] if pod.status.message else []
    lines.append(f"IP:\t{or_none(pod.status.pod_ip)}")
    if pod.status.pod_ips:
        return [*lines, "IPs:", *(f"  IP:\t{each.ip}" for each in pod.status.pod_ips)]
    return [*lines, f"IPs:\t{NONE}"]


def pod_end_lines(pod: core.Pod) -> list[str]:
    """Return what stands below the conditions: volumes, class of service, and what decides on nodes."""
    spec = pod.spec
    return [
        *(line.removeprefix("  ") for line in volume_lines(spec.volumes)),
        f"QoS Class:\t{pod.status.qos_class or qos_class(spec)}",
        *pairs("Node-Selectors", spec.node_selector, "="),
        *listed("Tolerations", [toleration_text(each) for each in spec.tolerations]),
    ]


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
