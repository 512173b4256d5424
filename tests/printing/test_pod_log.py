"""What a container has to tell, from its pod as stored."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery import codec
from rollplane_machinery.errors import BadRequestError
from rollplane_printing.pod_log import chosen_container, container_log

AT = "2026-11-23T02:54:{:02d}Z"
SECOND = 1_795_402_440


def pod(*statuses: dict[str, Any], node: str = "n", ready_at: int | None = None, **spec: Any) -> Pod:
    conditions = [] if ready_at is None else [{"type": "ContainersReady", "lastTransitionTime": AT.format(ready_at)}]
    data = {
        "metadata": {"name": "web"},
        "spec": {"nodeName": node, "containers": [{"name": "c"}], **spec},
        "status": {"containerStatuses": list(statuses), "conditions": conditions},
    }
    return codec.message_from_json(Pod, data)


def status(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "c", "image": "nginx:1.27", "state": state, "started": True, **more}


def running(at: int) -> dict[str, Any]:
    return {"running": {"startedAt": AT.format(at)}}


def ended(start: int, end: int, code: int = 1, **more: Any) -> dict[str, Any]:
    times = {"startedAt": AT.format(start), "finishedAt": AT.format(end)}
    return {"terminated": {"exitCode": code, "reason": "Error", **times, **more}}


def told(made: Pod, **how: Any) -> list[tuple[float, str]]:
    return [(line.seconds - SECOND, line.text) for line in container_log(made, "c", **how).lines]


def test_a_container_that_is_ready() -> None:
    made = pod(status(running(3), ready=True), ready_at=5)
    assert told(made) == [
        (3, "image nginx:1.27 is there"),
        (3, "simulated container c started, run 1"),
        (5, "ready"),
    ]
    assert not container_log(made, "c").ended


def test_a_container_that_is_not_ready() -> None:
    assert told(pod(status(running(3), ready=False), ready_at=8))[2] == (
        8,
        "not ready: the readiness probe does not succeed",
    )
    starting = pod(status(running(3), ready=False, started=False))
    assert told(starting)[2] == (3, "not started up yet: the startup probe has not succeeded")


def test_a_container_that_has_ended() -> None:
    made = pod(status(ended(3, 9, message="first\nlast\n")))
    assert told(made)[2:] == [(9, "first"), (9, "last"), (9, "ended with exit code 1 (Error)")]
    assert container_log(made, "c").ended


def test_a_container_that_was_restarted() -> None:
    made = pod(status(running(12), ready=True, restartCount=2, lastState=ended(3, 9)), ready_at=3)
    assert told(made)[1:] == [
        (12, "simulated container c started, run 3"),
        (12, "the run before ended with exit code 1 (Error)"),
        (12, "ready"),
    ]
    assert told(made, previous=True)[1:] == [
        (3, "simulated container c started, run 2"),
        (9, "ended with exit code 1 (Error)"),
    ]


def test_between_two_runs_the_last_one_is_read() -> None:
    made = pod(status({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=1, lastState=ended(3, 9)))
    assert told(made)[1] == (3, "simulated container c started, run 1")
    assert container_log(made, "c").ended


WAITING = {
    "ContainerCreating": "ContainerCreating",
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
    "CreateContainerConfigError": "CreateContainerConfigError",
}


@pytest.mark.parametrize(("reason", "sentence"), WAITING.items())
def test_waiting(reason: str, sentence: str) -> None:
    with pytest.raises(BadRequestError) as refused:
        container_log(pod(status({"waiting": {"reason": reason}})), "c")
    assert refused.value.message == f'container "c" in pod "web" is waiting to start: {sentence}'


def test_nothing_known_of_it() -> None:
    for made in (pod(), pod(status({}))):
        with pytest.raises(BadRequestError, match=r'container "c" in pod "web" is waiting to start - no logs yet'):
            container_log(made, "c")


def test_no_run_before() -> None:
    with pytest.raises(BadRequestError, match='previous terminated container "c" in pod "web" not found'):
        container_log(pod(status(running(3))), "c", previous=True)


def test_a_pod_without_a_node_has_told_nothing() -> None:
    assert container_log(pod(node=""), "c").lines == ()


def test_which_container() -> None:
    two: dict[str, Any] = {"containers": [{"name": "a"}, {"name": "b"}]}
    several = pod(**two)
    assert chosen_container(pod(), "") == "c"
    assert chosen_container(several, "b") == "b"
    with pytest.raises(BadRequestError) as refused:
        chosen_container(several, "")
    assert refused.value.message == "a container name must be specified for pod web, choose one of: [a b]"
    with pytest.raises(BadRequestError, match=r"choose one of: \[a b\] or one of the init containers: \[i\]"):
        chosen_container(pod(**two, initContainers=[{"name": "i"}]), "")
    with pytest.raises(BadRequestError, match="container x is not valid for pod web"):
        chosen_container(several, "x")


def test_init_and_ephemeral_containers_have_logs_too() -> None:
    made = pod(initContainers=[{"name": "i"}], ephemeralContainers=[{"name": "e"}])
    made.status.init_container_statuses.add(name="i").state.running.started_at.seconds = SECOND
    assert chosen_container(made, "i") == "i"
    assert chosen_container(made, "e") == "e"
    assert container_log(made, "i").run == 1
