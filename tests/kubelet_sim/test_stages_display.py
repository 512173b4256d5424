"""docs/semantics/pod-lifecycle.md section 12: every word that kubectl's STATUS column can show comes about somehow."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.stages.rules import Profile
from tests.kubelet_sim.pod_lives import Sim, app, bound_pod, rules

DONE = "stage: crash, match: {image: done}, exit_code: 0"
CASES: dict[str, tuple[list[str], str, Profile]] = {
    "Init:0/2": (["wait", "wait"], "up", rules("stage: ready, match: {image: wait}, delay: 99")),
    "Init:1/2": (["quick", "wait"], "up", rules("stage: ready, match: {image: wait}, delay: 99")),
    "Init:Error": (["bad"], "up", rules("stage: crash, match: {image: bad}, delay: 4.5", "stage: ready, delay: 9")),
    "Init:CrashLoopBackOff": (["bad"], "up", rules("stage: crash, match: {image: bad}")),
    "Init:ErrImagePull": (["x:404"], "up", rules("stage: pull, delay: 4.5")),
    "Init:ImagePullBackOff": (["x:404"], "up", rules("stage: ready")),
    "ContainerCreating": ([], "up", rules("stage: pull, delay: 99")),
    "Running": ([], "up", rules("stage: ready")),
    "Error": ([], "up", rules("stage: crash, delay: 4.5")),
    "OOMKilled": ([], "up", rules("stage: crash, delay: 4.5, exit_code: 137")),
    "Completed": ([], "done", rules(DONE + ", delay: 4.5")),
    "CrashLoopBackOff": ([], "up", rules("stage: crash")),
}


@pytest.mark.parametrize(("inits", "image", "profile"), CASES.values(), ids=CASES)
def test_word(request: pytest.FixtureRequest, inits: list[str], image: str, profile: Profile) -> None:
    pod = bound_pod(app(image=image))
    pod.spec.init_containers.extend(app(f"init-{number}", image) for number, image in enumerate(inits))
    assert Sim(pod, profile).until(5).shown == request.node.callspec.id


def test_terminating_comes_before_all_else() -> None:
    sim = Sim(bound_pod(), rules("stage: crash", "stage: terminate, delay: 20")).until(5).mark()
    assert sim.shown == "Terminating"


def test_the_first_container_speaks_for_the_pod() -> None:
    containers = (app("one", "x:404"), app("two", "bad"))
    assert Sim(bound_pod(*containers), rules("stage: crash, match: {image: bad}")).until(5).shown == "ImagePullBackOff"


@pytest.mark.parametrize(("readiness", "shown"), [("succeed", "NotReady"), ("never", "Completed")])
def test_completed_beside_a_running_container(readiness: str, shown: str) -> None:
    pod = bound_pod(app("one", "done"), app("two", "up"), policy="OnFailure")
    sim = Sim(pod, rules(DONE, f"stage: ready, match: {{image: up}}, outcome: {readiness}")).until(5)
    assert sim.shown == shown
    assert sim.pod.status.phase == "Running"


def test_a_pods_reason_shows_when_its_containers_say_nothing() -> None:
    pod = bound_pod(Container(name="app", image="up"))
    pod.status.phase, pod.status.reason = "Failed", "Evicted"
    assert Sim(pod).until(5).shown == "Evicted"
