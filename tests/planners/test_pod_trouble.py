"""What is wrong with a pod, and when that is lasting: one definition for ``why``, ``rollout status`` and rollbacks."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery.times import time_of
from rollplane_planners.pod_trouble import PATIENCE_SECONDS, trouble_of, unschedulable
from tests.machinery.printed_objects import made

START = 1_700_000_000
SPEC = """
spec:
  initContainers: [{name: i, image: "i:1"}]
  containers: [{name: a, image: "nginx:404"}, {name: b, image: "b:1"}]
"""
PULL = 'image "nginx:404" cannot be pulled'
LOOP = "CrashLoopBackOff"


def a_pod(reason: str = "", message: str = "", *, restarts: int = 0, code: int | None = None, name: str = "a") -> Pod:
    """A pod that began at START, one of whose containers waits; ``code`` is that of its last exit, 29 s later."""
    pod = made(Pod, SPEC)
    for began in (pod.metadata.creation_timestamp, pod.status.start_time):
        began.CopyFrom(time_of(START))
    pod.status.conditions.add(type="Ready", status="False").last_transition_time.CopyFrom(time_of(START))
    statuses = pod.status.init_container_statuses if name == "i" else pod.status.container_statuses
    status = statuses.add(name=name, restart_count=restarts, image="sha256:x")
    if reason:
        status.state.waiting.reason, status.state.waiting.message = reason, message
    else:
        status.state.running.started_at.CopyFrom(time_of(START + 30))
    if code is not None:
        status.last_state.terminated.exit_code = code
        status.last_state.terminated.finished_at.CopyFrom(time_of(START + 29))
    return pod


SENTENCES: dict[str, tuple[Pod, str | None]] = {
    "on its way": (a_pod("ContainerCreating"), None),
    "image missing": (a_pod("ErrImagePull", "not found"), f"{PULL}: not found (ErrImagePull)"),
    "the cause without what the sentence says already": (
        a_pod("ErrImagePull", 'failed to pull image "nginx:404": connection reset by peer'),
        f"{PULL}: connection reset by peer (ErrImagePull)",
    ),
    "the cause is told in the back-off, too": (
        a_pod("ImagePullBackOff", 'Back-off pulling image "nginx:404": ErrImagePull: connection reset by peer'),
        f"{PULL}: connection reset by peer (ImagePullBackOff)",
    ),
    "no cause is known": (
        a_pod("ImagePullBackOff", 'Back-off pulling image "nginx:404"'),
        f"{PULL} (ImagePullBackOff)",
    ),
    "second container": (a_pod("InvalidImageName", name="b"), '"b:1" is no image name (InvalidImageName)'),
    "init container": (a_pod("ErrImagePull", name="i"), 'image "i:1" cannot be pulled (ErrImagePull)'),
    "first crashes": (
        a_pod(LOOP, restarts=1, code=1),
        'container "a" has crashed, last with exit code 1 (CrashLoopBackOff)',
    ),
    "crash loop": (
        a_pod(LOOP, restarts=3, code=1),
        'container "a" keeps crashing, last with exit code 1 (CrashLoopBackOff)',
    ),
    "between two crashes it still is in its loop": (
        a_pod(restarts=2, code=1),
        'container "a" has crashed, last with exit code 1 (CrashLoopBackOff)',
    ),
    "one crash is no loop": (a_pod(restarts=1, code=1), None),
    "what ended well did not crash": (a_pod(restarts=5, code=0), None),
}


@pytest.mark.parametrize(("pod", "expected"), SENTENCES.values(), ids=SENTENCES)
def test_what_is_wrong(pod: Pod, expected: str | None) -> None:
    trouble = trouble_of(pod)
    assert (None if trouble is None else str(trouble)) == expected


def test_a_pod_that_lost_its_readiness_after_its_crashes_is_in_no_loop() -> None:
    pod = a_pod(restarts=9, code=1)
    pod.status.conditions[0].last_transition_time.CopyFrom(time_of(START + 45))
    assert trouble_of(pod) is None


AT_ONCE, PATIENTLY, NEVER = (True, True), (False, True), (False, False)
"""Whether a failure is lasting at once, and whether once nothing has changed for PATIENCE_SECONDS."""
LASTING: dict[str, tuple[Pod, tuple[bool, bool]]] = {
    "no image name": (a_pod("InvalidImageName"), AT_ONCE),
    "may not be pulled": (a_pod("ErrImageNeverPull"), AT_ONCE),
    "manifest unknown": (a_pod("ErrImagePull", "manifest for nginx:404 not found: manifest unknown"), AT_ONCE),
    "containerd's words": (
        a_pod("ErrImagePull", 'rpc error: code = NotFound desc = failed to resolve "x": not found'),
        AT_ONCE,
    ),
    "image not found, in the back-off": (
        a_pod("ImagePullBackOff", 'Back-off pulling image "nginx:404": ErrImagePull: not found'),
        AT_ONCE,
    ),
    "missing key": (a_pod("CreateContainerConfigError", "couldn't find key port in ConfigMap default/web"), AT_ONCE),
    "a ConfigMap that may still come": (a_pod("CreateContainerConfigError", 'configmap "web" not found'), PATIENTLY),
    "the first failed pull": (a_pod("ErrImagePull", "connection reset by peer"), PATIENTLY),
    "a name server that does not answer": (
        a_pod("ErrImagePull", 'failed to pull and unpack image "x": lookup registry: host not found'),
        PATIENTLY,
    ),
    "cannot be created": (a_pod("CreateContainerError", "device is busy"), PATIENTLY),
    "two crashes at start": (a_pod(LOOP, restarts=1, code=1), NEVER),
    "three": (a_pod(LOOP, restarts=2, code=1), NEVER),
    "restarted three times": (a_pod(LOOP, restarts=3, code=1), AT_ONCE),
    "restarted three times, and running again": (a_pod(restarts=3, code=1), AT_ONCE),
}


@pytest.mark.parametrize(("pod", "expected"), LASTING.values(), ids=LASTING)
def test_what_is_lasting(pod: Pod, expected: tuple[bool, bool]) -> None:
    trouble = trouble_of(pod)
    assert trouble is not None
    assert (trouble.is_lasting(START + 40), trouble.is_lasting(START + 40 + PATIENCE_SECONDS)) == expected


LATE: dict[str, tuple[str, bool]] = {
    "the second crash in a row": ("back-off 10s restarting failed container=a", False),
    "the fourth": ("back-off 40s restarting failed container=a", True),
    "more": ("back-off 2m40s restarting failed container=a", True),
}


@pytest.mark.parametrize(("message", "lasting"), LATE.values(), ids=LATE)
def test_restarts_of_long_ago_do_not_count(message: str, lasting: bool) -> None:
    pod = a_pod(LOOP, message, restarts=7, code=1)
    pod.status.start_time.CopyFrom(time_of(START - 86_400))
    trouble = trouble_of(pod)
    assert trouble is not None
    assert trouble.is_lasting(START + 40) == lasting


def test_a_pull_that_fails_after_the_pod_has_run_begins_anew() -> None:
    pod = a_pod("ErrImagePull", "connection reset by peer", restarts=1, code=1)
    pod.status.start_time.CopyFrom(time_of(START - 86_400))
    trouble = trouble_of(pod)
    assert trouble is not None
    assert not trouble.is_lasting(START + 40)


def test_unschedulable_tells_the_schedulers_sentence() -> None:
    pod = made(Pod, SPEC)
    assert unschedulable(pod) is None
    pod.status.conditions.add(type="PodScheduled", status="False", reason="Unschedulable", message="0/3 nodes fit")
    assert unschedulable(pod) == "0/3 nodes fit"
