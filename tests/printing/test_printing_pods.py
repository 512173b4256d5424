"""The word that says how a pod is, and what is wrong with it."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod
from rollplane_printing.pod_status import pod_status, pod_summary
from tests.machinery.printed_objects import made

SPEC = """
spec:
  containers: [{name: a, image: "a:1"}, {name: b, image: "b:1"}]
"""
ONE = """
spec:
  containers: [{name: a, image: "nginx:404"}]
"""
INITS = """
spec:
  initContainers: [{name: i, image: "i:1"}, {name: j, image: "j:1"}]
  containers: [{name: a, image: "a:1"}]
"""
SIDECAR = """
spec:
  initContainers: [{name: i, image: "i:1", restartPolicy: Always}]
  containers: [{name: a, image: "a:1"}]
"""


def states(*texts: str, field: str = "containerStatuses", phase: str = "Running", more: str = "") -> str:
    """A status with a container for each text: ``waiting X``, ``ended X CODE``, ``running`` or ``ready``."""
    rows = "".join(f"  - {_container('abij'[at], text)}\n" for at, text in enumerate(texts))
    return f"status:\n  phase: {phase}\n{more}  {field}:\n{rows}"


def inits(*texts: str) -> str:
    rows = "".join(f"  - {_container('ij'[at], text)}\n" for at, text in enumerate(texts))
    return f"status:\n  phase: Pending\n  initContainerStatuses:\n{rows}"


def _container(name: str, text: str) -> str:
    word, *rest = text.split(" ")
    forms = {
        "waiting": "waiting: {{reason: {0}}}",
        "ended": "terminated: {{reason: {0}, exitCode: {1}}}",
        "exit": "terminated: {{exitCode: {0}}}",
        "signal": "terminated: {{exitCode: 1, signal: {0}}}",
        "running": "running: {{}}",
        "ready": "running: {{}}",
    }
    ready = str(word == "ready").lower()
    marks = f"name: {name}, ready: {ready}, started: {ready}, restartCount: 2, image: x, imageID: ''"
    return f"{{{marks}, state: {{{forms[word].format(*rest)}}}}}"


STATUSES: dict[str, tuple[str, str]] = {
    "nothing known but the phase": (SPEC + "status: {phase: Pending}", "Pending"),
    "the reason of the whole pod": (SPEC + "status: {phase: Failed, reason: Evicted}", "Evicted"),
    "all run": (SPEC + states("ready", "ready"), "Running"),
    "one waits": (SPEC + states("ready", "waiting CrashLoopBackOff"), "CrashLoopBackOff"),
    "the first container's reason wins": (
        SPEC + states("waiting ErrImagePull", "waiting CrashLoopBackOff"),
        "ErrImagePull",
    ),
    "ended with a reason": (SPEC + states("ended Error 1", "ready"), "Error"),
    "ended without a reason": (SPEC + states("exit 3", "ready"), "ExitCode:3"),
    "ended by a signal": (SPEC + states("signal 9", "ready"), "Signal:9"),
    "completed while another runs, not ready": (SPEC + states("ended Completed 0", "ready"), "NotReady"),
    "completed while another runs, ready": (
        SPEC + states("ended Completed 0", "ready", more="  conditions: [{type: Ready, status: 'True'}]\n"),
        "Running",
    ),
    "all completed": (
        SPEC + states("ended Completed 0", "ended Completed 0", phase="Succeeded"),
        "Completed",
    ),
    "first init container runs": (INITS + inits("running", "waiting PodInitializing"), "Init:0/2"),
    "second init container waits its turn": (INITS + inits("ended Completed 0", "waiting PodInitializing"), "Init:1/2"),
    "init container cannot start": (INITS + inits("waiting ErrImagePull"), "Init:ErrImagePull"),
    "init container failed": (INITS + inits("ended Error 1"), "Init:Error"),
    "init container failed without reason": (INITS + inits("exit 4"), "Init:ExitCode:4"),
    "init container killed": (INITS + inits("signal 9"), "Init:Signal:9"),
    "an init container that only the status knows": (SPEC + inits("running"), "Init:0/0"),
    "a sidecar that has not started": (SIDECAR + inits("running"), "Init:0/1"),
    "a sidecar that has started lets the others begin": (SIDECAR + inits("ready"), "Pending"),
}


@pytest.mark.parametrize(("text", "expected"), STATUSES.values(), ids=STATUSES)
def test_pod_status(text: str, expected: str) -> None:
    assert pod_status(made(Pod, text)) == expected


DELETED = "metadata: {deletionTimestamp: '2025-06-15T15:06:40Z'}\n"


def test_a_pod_being_deleted_is_terminating_whatever_else_it_is() -> None:
    assert pod_status(made(Pod, DELETED + SPEC + states("waiting CrashLoopBackOff", "ready"))) == "Terminating"


def test_a_deleted_pod_on_a_lost_node_is_unknown() -> None:
    assert pod_status(made(Pod, DELETED + SPEC + "status: {phase: Running, reason: NodeLost}")) == "Unknown"


def test_ready_and_restarts_count_containers() -> None:
    summary = pod_summary(made(Pod, SPEC + states("ready", "waiting CrashLoopBackOff")))
    assert (summary.ready, summary.total, summary.restarts) == (1, 2, 4)


def test_while_initializing_the_restarts_are_those_of_init_containers() -> None:
    assert pod_summary(made(Pod, INITS + inits("running"))).restarts == 2


GATED = """
status:
  phase: Pending
  conditions: [{type: PodScheduled, status: 'False', reason: SchedulingGated}]
"""


def test_a_gated_pod_says_so() -> None:
    assert pod_status(made(Pod, SPEC + GATED)) == "SchedulingGated"


SIDECAR_AND_APP = """
status:
  phase: Running
  conditions: [{{type: Initialized, status: '{initialized}'}}]
  initContainerStatuses:
  - {sidecar}
  containerStatuses:
  - {app}
"""
SIDECARS: dict[str, tuple[str, str, str, tuple[str, int, int, int]]] = {
    "both run": ("ready", "ready", "True", ("Running", 2, 2, 4)),
    "the sidecar does not run yet": ("running", "waiting PodInitializing", "False", ("Init:0/1", 0, 2, 2)),
    "the sidecar crashed later": ("waiting CrashLoopBackOff", "ready", "True", ("Init:CrashLoopBackOff", 1, 2, 4)),
    "the container has more to say": (
        "waiting CrashLoopBackOff",
        "waiting ErrImagePull",
        "True",
        ("ErrImagePull", 0, 2, 4),
    ),
    "the container crashed": ("ready", "waiting CrashLoopBackOff", "True", ("CrashLoopBackOff", 1, 2, 4)),
}


@pytest.mark.parametrize(("sidecar", "app", "initialized", "expected"), SIDECARS.values(), ids=SIDECARS)
def test_sidecars_count_as_containers(
    sidecar: str, app: str, initialized: str, expected: tuple[str, int, int, int]
) -> None:
    status = SIDECAR_AND_APP.format(initialized=initialized, sidecar=_container("i", sidecar), app=_container("a", app))
    summary = pod_summary(made(Pod, SIDECAR + status))
    assert (summary.status, summary.ready, summary.total, summary.restarts) == expected
