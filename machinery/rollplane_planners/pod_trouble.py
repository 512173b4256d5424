"""What keeps one pod from becoming ready, and from when on waiting is in vain: the one definition of a lasting failure.

A failure is lasting
- at once when its cause is definite: the image's name is none, it is not on the node and may not be pulled, the
  registry does not have it, or a key that the container needs is missing from its ConfigMap or Secret;
- when it has been repeated: a container was restarted three times, and within ten minutes or with a back-off of 40 s
  or more; or pulling or creating it has failed for 70 s, in which the kubelet's back-off (10 s, 20 s, 40 s) has
  reached its fourth step.
Whatever fails for the first time may heal by itself. Source of the reasons and back-offs:
docs/semantics/pod-lifecycle.md section 5.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.core.v1 import ContainerStatus, Pod
from rollplane_machinery.conditions import FALSE, get_condition
from rollplane_machinery.pods import POD_READY, POD_SCHEDULED, SCHEDULING_GATED
from rollplane_machinery.times import to_seconds

CRASH_LOOP = "CrashLoopBackOff"
TOO_MANY_RESTARTS = 3
RESTART_WINDOW_SECONDS = 600.0
"""Restarts since the pod's start count as one row for so long; so does a kubelet's back-off."""
CRASH_BACKOFF_SECONDS = 40
PATIENCE_SECONDS = 70.0
NEVER = math.inf

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
_DEFINITE_REASONS = frozenset({"ErrImageNeverPull", "InvalidImageName"})
_DEFINITE_CAUSES = re.compile(
    r"manifest unknown|name unknown|repository does not exist|\bcode = NotFound\b|^not found$|couldn't find key"
    r"|(manifest|image|repository|reference)\b.*(?<!host )\bnot found",
    re.IGNORECASE,
)
_PULL_CAUSE = re.compile(r'(?:Back-off pulling|failed to pull) image "[^"]*"(?:: )?(?:ErrImagePull: )?', re.IGNORECASE)
_BACK_OFF = re.compile(r"back-off (?:(\d+)m)?(?:(\d+)s)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trouble:
    """``reason`` is the kubelet's word; ``sentence`` says the same, and the cause where one is known, to a person.

    ``lasting_from`` is the time, in seconds since the epoch, from which on waiting is in vain: NEVER for what is not
    repeated often enough yet.
    """

    reason: str
    sentence: str
    lasting_from: float = 0.0

    def __str__(self) -> str:
        return f"{self.sentence} ({self.reason})"

    def is_lasting(self, now: float) -> bool:
        """Whether the pod will hardly become ready by itself any more."""
        return now >= self.lasting_from


def trouble_of(pod: Pod) -> Trouble | None:
    """Return what is wrong with ``pod``; None while it is well, or on its way."""
    for container in (*pod.status.init_container_statuses, *pod.status.container_statuses):
        reason = _reason(pod, container)
        if reason == CRASH_LOOP:
            return _crashing(pod, container)
        if reason:
            return _waiting(pod, container, reason)
    return None


def unschedulable(pod: Pod) -> str | None:
    """Return why a pod is not scheduled, the scheduler's sentence or its gates; None for any other pod."""
    scheduled = get_condition(pod.status.conditions, POD_SCHEDULED)
    if scheduled is None or scheduled.status != FALSE or scheduled.reason not in ("Unschedulable", SCHEDULING_GATED):
        return None
    if pod.spec.scheduling_gates:
        gates = ", ".join(gate.name for gate in pod.spec.scheduling_gates)
        return f"it is not scheduled before its schedulingGates are removed: {gates}"
    return scheduled.message or "no node takes it"


def _reason(pod: Pod, container: ContainerStatus) -> str:
    waiting = container.state.waiting.reason
    if waiting in _SENTENCES:
        return waiting
    if container.ready or container.restart_count < 2:
        return ""
    # Between two crashes of a loop the container runs for a moment: that it does is no sign of health.
    crashed = container.last_state.terminated.exit_code != 0
    return CRASH_LOOP if crashed and not _was_ready_since(pod, container) else ""


def _was_ready_since(pod: Pod, container: ContainerStatus) -> bool:
    """Whether the pod has been ready after the container's last start: it lost that without a crash."""
    ready = get_condition(pod.status.conditions, POD_READY)
    if ready is None or not container.state.HasField("running"):
        return False
    return to_seconds(ready.last_transition_time) > to_seconds(container.state.running.started_at)


def _crashing(pod: Pod, container: ContainerStatus) -> Trouble:
    lasting_from = 0.0 if _crashes_again_and_again(pod, container) else NEVER
    sentence = _SENTENCES[CRASH_LOOP].format(name=container.name)
    if lasting_from:
        sentence = f'container "{container.name}" has crashed'
    if container.last_state.HasField("terminated"):
        sentence += f", last with exit code {container.last_state.terminated.exit_code}"
    return Trouble(CRASH_LOOP, sentence, lasting_from)


def _crashes_again_and_again(pod: Pod, container: ContainerStatus) -> bool:
    if container.restart_count < TOO_MANY_RESTARTS:
        return False
    found = _BACK_OFF.match(container.state.waiting.message)
    if found is not None and int(found[1] or 0) * 60 + int(found[2] or 0) >= CRASH_BACKOFF_SECONDS:
        return True
    ended = to_seconds(container.last_state.terminated.finished_at)
    return ended - to_seconds(pod.status.start_time) <= RESTART_WINDOW_SECONDS


def _waiting(pod: Pod, container: ContainerStatus, reason: str) -> Trouble:
    message = " ".join(container.state.waiting.message.split())
    sentence = _SENTENCES[reason].format(name=container.name, image=_image_of(pod, container))
    cause = _cause(reason, message)
    if cause:
        sentence += f": {cause}"
    definite = reason in _DEFINITE_REASONS or _DEFINITE_CAUSES.search(cause or message) is not None
    return Trouble(reason, sentence, 0.0 if definite else _unchanged_since(pod, container) + PATIENCE_SECONDS)


def _image_of(pod: Pod, container: ContainerStatus) -> str:
    """The image that was asked for: what a status says may be an id."""
    asked = {each.name: each.image for each in (*pod.spec.init_containers, *pod.spec.containers)}
    return asked.get(container.name, container.image)


def _cause(reason: str, message: str) -> str:
    """Return what the kubelet's message adds to the sentence; "" when it only says the same in other words."""
    if reason in _DEFINITE_REASONS:
        return ""
    return _PULL_CAUSE.sub("", message, count=1)


def _unchanged_since(pod: Pod, container: ContainerStatus) -> float:
    """Return the last time at which anything about the pod became better or worse but for the attempts that fail."""
    times = [pod.metadata.creation_timestamp, pod.status.start_time, container.last_state.terminated.finished_at]
    times += [condition.last_transition_time for condition in pod.status.conditions]
    return max(to_seconds(time) for time in times)
