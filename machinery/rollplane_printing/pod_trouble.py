"""What keeps one pod from becoming ready, when waiting is not likely to help.

Source of the reasons: docs/semantics/pod-lifecycle.md section 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.core.v1 import ContainerStatus, Pod
from rollplane_machinery.conditions import FALSE, get_condition
from rollplane_machinery.pods import POD_SCHEDULED

CRASH_LOOP = "CrashLoopBackOff"

_PULL = 'image "{image}" cannot be pulled'
_CREATE = 'container "{name}" cannot be created'

_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "ErrImagePull": _PULL,
        "ImagePullBackOff": _PULL,
        "ErrImageNeverPull": 'image "{image}" is not on the node, and may not be pulled',
        "InvalidImageName": '"{image}" is no image name',
        "CreateContainerConfigError": _CREATE,
        "CreateContainerError": _CREATE,
        "RunContainerError": _CREATE,
        CRASH_LOOP: 'container "{name}" keeps crashing',
    }
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """``reason`` is the kubelet's word; ``sentence`` says the same to a person."""

    reason: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.sentence} ({self.reason})"


def trouble_of(pod: Pod) -> Trouble | None:
    """Return what is wrong with ``pod``; None while it is well, or on its way."""
    for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        reason = _reason(container)
        if reason:
            image = _image_of(pod, container)
            return Trouble(
                reason, _SENTENCES[reason].format(name=container.name, image=image) + _exit(container, reason)
            )
    return None


def _reason(container: ContainerStatus) -> str:
    waiting = container.state.waiting.reason
    if waiting in _SENTENCES:
        return waiting
    # Between two crashes of a loop the container runs for a moment: that it does is no sign of health.
    crashed = container.last_state.terminated.exit_code != 0
    return CRASH_LOOP if not container.ready and container.restart_count > 1 and crashed else ""


def _image_of(pod: Pod, container: ContainerStatus) -> str:
    """The image that was asked for: what a status says may be an id."""
    asked = {each.name: each.image for each in (*pod.spec.init_containers, *pod.spec.containers)}
    return asked.get(container.name, container.image)


def _exit(container: ContainerStatus, reason: str) -> str:
    if reason != CRASH_LOOP or not container.last_state.HasField("terminated"):
        return ""
    return f", last with exit code {container.last_state.terminated.exit_code}"


def unschedulable(pod: Pod) -> str | None:
    """Return the scheduler's sentence about a pod that no node takes, None for any other."""
    scheduled = get_condition(pod.status.conditions, POD_SCHEDULED)
    if scheduled is None or scheduled.status != FALSE or scheduled.reason != "Unschedulable":
        return None
    return scheduled.message or "no node takes it"
