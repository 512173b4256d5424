"""docs/semantics/pod-lifecycle.md sections 4 and 7: conditions, readiness and addresses."""

from __future__ import annotations

import pytest

from rollplane_kubelet_sim.stages.life import PodLife
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.rules import Profile
from tests.kubelet_sim.pod_lives import INSTANT, START, Sim, app, bound_pod, rules

PULLING = rules("stage: pull, delay: 50")
UNREADY = rules("stage: ready, outcome: never")
ENDS = rules("stage: crash, exit_code: 0")
IN_INIT = rules("stage: ready, match: {image: init}, delay: 50")

ROWS: dict[str, tuple[Profile, str, str, str, str]] = {
    "PodScheduled: bound": (PULLING, "Always", "PodScheduled", "True", ""),
    "PodReadyToStartContainers: no sandbox yet": (PULLING, "Always", "PodReadyToStartContainers", "False", ""),
    "PodReadyToStartContainers: sandbox and network": (INSTANT, "Always", "PodReadyToStartContainers", "True", ""),
    "PodReadyToStartContainers: gone with the last": (ENDS, "Never", "PodReadyToStartContainers", "False", ""),
    "Initialized: nothing to initialize": (PULLING, "Always", "Initialized", "True", ""),
    "ContainersReady: every one ready": (INSTANT, "Always", "ContainersReady", "True", ""),
    "ContainersReady: one not ready": (UNREADY, "Always", "ContainersReady", "False", "ContainersNotReady"),
    "ContainersReady: succeeded": (ENDS, "Never", "ContainersReady", "False", "PodCompleted"),
    "Ready: containers are": (INSTANT, "Always", "Ready", "True", ""),
    "Ready: containers are not": (UNREADY, "Always", "Ready", "False", "ContainersNotReady"),
    "Ready: succeeded": (ENDS, "Never", "Ready", "False", "PodCompleted"),
}


@pytest.mark.parametrize(("profile", "policy", "type_", "status", "reason"), ROWS.values(), ids=ROWS)
def test_condition(profile: Profile, policy: str, type_: str, status: str, reason: str) -> None:
    assert Sim(bound_pod(policy=policy), profile).until(5).condition(type_) == (status, reason)


def test_initialized_waits_for_all_init_containers() -> None:
    pod = bound_pod()
    pod.spec.init_containers.extend([app("one", "quick"), app("two", "init")])
    sim = Sim(pod, IN_INIT).until(5)
    assert sim.condition("Initialized") == ("False", "ContainersNotInitialized")
    assert sim.shown == "Init:1/2"
    sim.until(51)
    assert sim.condition("Initialized") == ("True", "")
    assert sim.changed("Initialized") == 50


def test_ready_waits_for_its_readiness_gates() -> None:
    pod = bound_pod()
    pod.spec.readiness_gates.add(condition_type="example.com/open")
    sim = Sim(pod).until(1)
    assert sim.condition("ContainersReady") == ("True", "")
    assert sim.condition("Ready") == ("False", "ReadinessGatesNotReady")
    sim.pod.status.conditions.add(type="example.com/open", status="True")
    sim.restart_kubelet()
    sim.until(2)
    assert sim.condition("Ready") == ("True", "")


def test_conditions_that_others_wrote_are_kept() -> None:
    pod = bound_pod()
    pod.status.conditions.add(type="DisruptionTarget", status="True", reason="EvictionByEvictionAPI")
    assert Sim(pod).until(1).condition("DisruptionTarget") == ("True", "EvictionByEvictionAPI")


def test_transition_times_change_only_with_the_status() -> None:
    sim = Sim(bound_pod(), rules("stage: ready, delay: 3")).until(10)
    assert sim.changed("Ready") == 3
    assert sim.changed("PodScheduled") == 0
    sim.order("unready")
    assert sim.changed("Ready") == 10
    sim.now += 5
    sim.order("unready")
    assert sim.changed("Ready") == 10


def test_flapping_restarts_the_availability_clock() -> None:
    sim = Sim(bound_pod(), rules("stage: unready, limit: 1, delay: 20", "stage: ready, delay: 4")).until(100)
    assert [seconds for seconds, _ in sim.seen] == [0, 4, 24, 28]
    assert sim.changed("Ready") == 28
    assert sim.app.restart_count == 0


def test_ready_taken_away_by_the_node_controller_comes_back() -> None:
    sim = Sim(bound_pod()).until(1)
    ready = next(condition for condition in sim.pod.status.conditions if condition.type == "Ready")
    ready.status = "False"
    sim.life.observe(sim.pod)
    sim.until(60)
    assert sim.condition("Ready") == ("True", "")
    assert sim.changed("Ready") == 1


def test_the_address_comes_with_the_sandbox_and_the_start_time_with_the_kubelet() -> None:
    sim = Sim(bound_pod(), rules("stage: pull, delay: 5")).until(4)
    assert (sim.pod.status.host_ip, sim.pod.status.pod_ip) == ("172.16.0.1", "")
    assert sim.pod.status.start_time.seconds == START
    sim.until(6)
    assert sim.pod.status.pod_ip == "10.0.0.1"
    assert [one.ip for one in sim.pod.status.pod_ips] == ["10.0.0.1"]


def test_address_and_start_time_outlive_the_kubelet() -> None:
    sim = Sim(bound_pod()).until(100)
    sim.life = PodLife(sim.pod, Place("172.16.0.1", "10.0.0.99", sim.now))
    assert sim.look().status is None
    assert (sim.pod.status.pod_ip, sim.pod.status.start_time.seconds) == ("10.0.0.1", START)


@pytest.mark.parametrize("generation", [0, 3])
def test_a_status_says_which_generation_it_tells_of_if_pods_have_one(generation: int) -> None:
    pod = bound_pod()
    pod.metadata.generation = generation
    status = Sim(pod).until(5).pod.status
    assert status.observed_generation == generation
    assert {condition.observed_generation for condition in status.conditions} == {generation}
