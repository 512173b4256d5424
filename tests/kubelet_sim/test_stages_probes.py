"""docs/semantics/pod-lifecycle.md section 6: what a rule says of the process, seen through probes."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container, Probe
from rollplane_kubelet_sim.stages.probes import failure_seconds, success_seconds
from tests.kubelet_sim.pod_lives import Sim, app, bound_pod, rules

PROBED = {"probes": True}


def probed(**probes: Probe) -> Container:
    container = app()
    for name, probe in probes.items():
        getattr(container, name).CopyFrom(probe)
    return container


LOOKS: dict[str, tuple[Probe, float, float, float, float]] = {
    "defaults": (Probe(), 0, 4, 4, 24),
    "initial delay leaves out looks": (Probe(initial_delay_seconds=15, period_seconds=10), 0, 4, 24, 44),
    "period": (Probe(period_seconds=2), 0, 1, 1, 5),
    "success threshold": (Probe(period_seconds=5, success_threshold=3), 0, 0, 10, 10),
    "failure threshold": (Probe(period_seconds=5, failure_threshold=1), 0, 2, 2, 2),
    "able only later": (Probe(period_seconds=5), 11.5, 1, 16, 26),
    "able just at a look": (Probe(period_seconds=5), 11, 1, 11, 21),
}


@pytest.mark.parametrize(("probe", "after", "phase", "success", "failure"), LOOKS.values(), ids=LOOKS)
def test_looks(probe: Probe, after: float, phase: float, success: float, failure: float) -> None:
    assert success_seconds(probe, after, phase) == success
    assert failure_seconds(probe, after, phase) == failure


def test_without_readiness_probe_ready_as_soon_as_running() -> None:
    sim = Sim(bound_pod(), rules(**PROBED)).until(1)
    assert (sim.app.ready, sim.changed("Ready")) == (True, 0)


def test_readiness_takes_its_successes() -> None:
    probe = Probe(initial_delay_seconds=20, period_seconds=10, success_threshold=3)
    sim = Sim(bound_pod(probed(readiness_probe=probe)), rules(**PROBED)).until(100)
    assert 40 <= sim.changed("Ready") < 50
    assert sim.app.restart_count == 0


def test_readiness_of_a_slow_start_shows_at_the_next_look() -> None:
    probe = Probe(period_seconds=30)
    sim = Sim(bound_pod(probed(readiness_probe=probe)), rules("stage: ready, delay: 1", **PROBED)).until(100)
    assert 1 <= sim.changed("Ready") <= 31


def test_readiness_is_lost_after_its_failures_without_a_restart() -> None:
    probe = Probe(period_seconds=2, failure_threshold=4)
    profile = rules(
        "stage: unready, delay: 10, limit: 1", "stage: ready, limit: 1", "stage: ready, delay: 50", **PROBED
    )
    sim = Sim(bound_pod(probed(readiness_probe=probe)), profile).until(40)
    ready_at, lost_at = (seconds for seconds, _ in sim.seen[1:])
    assert lost_at - ready_at == pytest.approx(16)
    assert (sim.condition("Ready")[0], sim.app.restart_count, "Unhealthy" in sim.reasons()) == ("False", 0, True)


def test_without_probes_in_the_profile_only_its_rules_take_time() -> None:
    probe = Probe(initial_delay_seconds=100)
    sim = Sim(bound_pod(probed(readiness_probe=probe, startup_probe=probe)), rules("stage: ready, delay: 3")).until(10)
    assert sim.changed("Ready") == 3


def test_liveness_failures_kill_and_restart() -> None:
    probe = Probe(period_seconds=5, failure_threshold=2)
    profile = rules("stage: liveness, delay: 30, limit: 1", **PROBED)
    sim = Sim(bound_pod(probed(liveness_probe=probe)), profile).until(100)
    assert sim.app.restart_count == 1
    assert sim.app.last_state.terminated.exit_code == 143
    died = next(seconds for seconds, word in sim.seen if word == "Error")
    assert 35 <= died <= 40
    assert [reason for reason in sim.reasons() if reason in ("Unhealthy", "Killing")] == ["Unhealthy", "Killing"]


def test_liveness_rules_pass_over_containers_without_the_probe() -> None:
    assert Sim(bound_pod(), rules("stage: liveness, delay: 1")).until(100).words == ["Running"]


def test_a_liveness_kill_obeys_the_restart_policy() -> None:
    pod = bound_pod(probed(liveness_probe=Probe()), policy="Never")
    assert Sim(pod, rules("stage: liveness, delay: 5")).until(10).pod.status.phase == "Failed"


def test_startup_holds_back_started_and_ready() -> None:
    probe = Probe(period_seconds=1, failure_threshold=60)
    profile = rules("stage: startup, delay: 20", "stage: liveness, delay: 5, limit: 1", **PROBED)
    sim = Sim(bound_pod(probed(startup_probe=probe, liveness_probe=probe)), profile).until(15)
    assert (sim.app.started, sim.app.ready, sim.app.state.HasField("running")) == (False, False, True)
    sim.until(22)
    assert (sim.app.started, sim.app.ready) == (True, True)


@pytest.mark.parametrize("rule", ["stage: startup, outcome: fail", "stage: startup, delay: 1000"])
def test_startup_that_never_succeeds_restarts(rule: str) -> None:
    probe = Probe(period_seconds=10, failure_threshold=3)
    sim = Sim(bound_pod(probed(startup_probe=probe)), rules(rule, **PROBED)).until(35)
    assert (sim.app.restart_count, sim.app.last_state.terminated.exit_code) == (1, 143)
    sim.until(80)
    assert "CrashLoopBackOff" in sim.words


def test_a_restart_resets_the_counters() -> None:
    probe = Probe(initial_delay_seconds=20, period_seconds=10)
    sim = Sim(bound_pod(probed(readiness_probe=probe)), rules("stage: crash, delay: 40, limit: 1", **PROBED)).until(100)
    assert sim.app.restart_count == 1
    assert 61 <= sim.changed("Ready") <= 71
