"""docs/semantics/pod-lifecycle.md section 3: the phase, by the rows of its table in their order."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container
from rollplane_kubelet_sim.stages.rules import Profile
from tests.kubelet_sim.pod_lives import Sim, app, bound_pod, rules

EXIT_0 = "stage: crash, match: {image: done}, exit_code: 0, delay: 2"
EXIT_1 = "stage: crash, match: {image: bad}, exit_code: 1, delay: 2"
INIT_FAILS = "stage: crash, match: {image: init}, exit_code: 3"
SLOW_INIT = "stage: ready, match: {image: init}, delay: 100"
NO_IMAGE = "stage: pull, match: {image: gone}, outcome: fail"
ENDS = rules(EXIT_0, EXIT_1)

ROWS: dict[str, tuple[str, list[str], list[str], Profile, str]] = {
    "1 an init container failed and restartPolicy Never": ("Never", ["init"], ["up"], rules(INIT_FAILS), "Failed"),
    "2 init containers unfinished": ("Always", ["init"], ["up"], rules(SLOW_INIT), "Pending"),
    "2 a failed init container to be restarted": ("Always", ["init"], ["up"], rules(INIT_FAILS), "Pending"),
    "2 an app container waiting that never ran": ("Always", [], ["up", "gone"], rules(NO_IMAGE), "Pending"),
    "3 one running, all known": ("Always", [], ["up", "bad"], ENDS, "Running"),
    "3 one running, one done": ("Never", [], ["up", "done"], ENDS, "Running"),
    "4 all stopped, Always": ("Always", [], ["bad"], ENDS, "Running"),
    "5 all exit 0, OnFailure": ("OnFailure", [], ["done", "done"], ENDS, "Succeeded"),
    "5 all exit 0, Never": ("Never", [], ["done"], ENDS, "Succeeded"),
    "6 some failed, Never": ("Never", [], ["done", "bad"], ENDS, "Failed"),
    "7 some failed, OnFailure": ("OnFailure", [], ["done", "bad"], ENDS, "Running"),
}


@pytest.mark.parametrize(("policy", "inits", "apps", "profile", "phase"), ROWS.values(), ids=ROWS)
def test_phase(policy: str, inits: list[str], apps: list[str], profile: Profile, phase: str) -> None:
    pod = bound_pod(*(app(f"app-{n}", image) for n, image in enumerate(apps)), policy=policy)
    pod.spec.init_containers.extend(app(f"init-{n}", image) for n, image in enumerate(inits))
    assert Sim(pod, profile).until(2.5).pod.status.phase == phase


def test_8_otherwise_pending() -> None:
    """A pod the kubelet has just taken on has no container that is anything yet."""
    sim = Sim(bound_pod(), rules("stage: pull, delay: 5")).until(1)
    assert (sim.pod.status.phase, sim.shown) == ("Pending", "ContainerCreating")


def test_a_container_in_crash_loop_back_off_counts_as_stopped_so_the_pod_runs_unready() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, delay: 1")).until(5)
    assert (sim.shown, sim.pod.status.phase) == ("CrashLoopBackOff", "Running")
    assert sim.condition("Ready") == ("False", "ContainersNotReady")


def test_image_pull_back_off_keeps_the_pod_pending_though_siblings_run() -> None:
    sim = Sim(bound_pod(app("up"), app("gone", "gone:404"))).until(5)
    assert sim.app.state.HasField("running")
    assert sim.pod.status.phase == "Pending"


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_failed_and_succeeded_are_final(phase: str) -> None:
    pod = bound_pod()
    pod.status.phase = phase
    progress = Sim(pod).look()
    assert (progress.status, progress.due, progress.ended) == (None, None, False)


def test_the_kubelet_fails_a_pod_past_its_deadline() -> None:
    pod = bound_pod()
    pod.spec.active_deadline_seconds = 60
    sim = Sim(pod).until(1_000)
    assert (sim.pod.status.phase, sim.pod.status.reason, sim.shown) == (
        "Failed",
        "DeadlineExceeded",
        "DeadlineExceeded",
    )
    assert sim.seen[-1][0] == 60
    assert sim.app.state.terminated.exit_code == 137
    assert sim.condition("Ready") == ("False", "ContainersNotReady")


def test_a_sidecar_does_not_keep_a_finished_pod_running() -> None:
    pod = bound_pod(app(image="done"), policy="Never")
    pod.spec.init_containers.append(Container(name="mesh", image="mesh", restart_policy="Always"))
    sim = Sim(pod, ENDS).until(60)
    assert sim.pod.status.phase == "Succeeded"
    assert sim.init.state.terminated.reason == "Completed"


def test_a_sidecar_that_crashes_later_leaves_the_pod_running() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(Container(name="mesh", image="mesh", restart_policy="Always"))
    sim = Sim(pod, rules("stage: crash, match: {image: mesh}, delay: 5")).until(8)
    assert (sim.pod.status.phase, sim.init.state.waiting.reason) == ("Running", "")
    sim.until(13)
    assert (sim.pod.status.phase, sim.init.state.waiting.reason) == ("Running", "CrashLoopBackOff")
    assert sim.condition("Initialized") == ("True", "")
    assert sim.condition("Ready") == ("False", "ContainersNotReady")
