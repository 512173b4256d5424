"""docs/semantics/pod-lifecycle.md section 8: graceful deletion, from the kubelet's side."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container, Pod
from tests.kubelet_sim.pod_lives import INSTANT, Sim, app, bound_pod, rules

SLOW = rules("stage: terminate, delay: 12")


def test_4_the_containers_stop_within_their_time() -> None:
    sim = Sim(bound_pod(), SLOW).until(100).mark(30).until(111)
    assert sim.ended is None
    assert sim.shown == "Terminating"
    sim.until(200)
    assert sim.ended == 112


def test_4_at_the_end_they_are_terminated_and_the_phase_is_final() -> None:
    sim = Sim(bound_pod(), SLOW).until(100).mark(30).until(200)
    assert (sim.app.state.terminated.exit_code, sim.app.ready, sim.pod.status.phase) == (0, False, "Succeeded")
    assert sim.condition("Ready")[0] == "False"


@pytest.mark.parametrize(("rule", "code"), [("delay: 12, exit_code: 143", 143), ("delay: 500", 137)])
def test_4_an_exit_by_signal_fails_the_pod(rule: str, code: int) -> None:
    sim = Sim(bound_pod(), rules(f"stage: terminate, {rule}")).until(100).mark(30).until(200)
    assert (sim.app.state.terminated.exit_code, sim.pod.status.phase) == (code, "Failed")


def test_4_never_longer_than_the_grace() -> None:
    assert Sim(bound_pod(), rules("stage: terminate, delay: 500")).until(100).mark(30).until(200).ended == 130


def test_3_a_second_shorter_grace_counts_from_the_first_mark() -> None:
    sim = Sim(bound_pod(), rules("stage: terminate, delay: 500")).until(100).mark(300).until(110).mark(20).until(400)
    assert sim.ended == 120


def test_3_a_second_grace_that_is_over_already_ends_it_now() -> None:
    sim = Sim(bound_pod(), rules("stage: terminate, delay: 500")).until(100).mark(300).until(150).mark(20).until(400)
    assert sim.ended == 150


def test_4_the_killing_is_told_once_and_at_the_beginning() -> None:
    sim = Sim(bound_pod(app("one"), app("two")), SLOW).until(100).mark(30).until(101)
    assert [note.reason for note in sim.notes].count("Killing") == 2
    sim.until(200)
    assert [note.reason for note in sim.notes].count("Killing") == 2


def test_5_without_delay_the_pod_goes_without_another_status() -> None:
    sim = Sim(bound_pod()).until(100).mark(30)
    progress = sim.look()
    assert (progress.ended, progress.status) == (True, None)


@pytest.mark.parametrize("image", ["web:404", "Not An Image"])
def test_5_a_pod_that_runs_nothing_goes_at_once(image: str) -> None:
    sim = Sim(bound_pod(app(image=image)), SLOW).until(5).mark(30)
    assert sim.look().ended


def test_a_terminating_container_is_not_restarted() -> None:
    sim = Sim(bound_pod(), rules("stage: crash, delay: 105", "stage: terminate, delay: 20")).until(100).mark(30)
    sim.until(119)
    assert (sim.app.restart_count, sim.app.state.HasField("running")) == (0, True)


def test_deletion_goes_on_after_a_restart_of_the_kubelet() -> None:
    sim = Sim(bound_pod(), rules("stage: terminate, delay: 20")).until(100).mark(30).until(110)
    sim.restart_kubelet()
    assert sim.until(200).ended == pytest.approx(120, abs=1)


def test_a_manual_pod_terminates_until_told() -> None:
    sim = Sim(bound_pod(), rules(manual=True)).until(1).order("ready").until(100).mark(30).until(500)
    assert (sim.ended, sim.due, sim.shown) == (None, None, "Terminating")
    assert sim.order("finish").ended == 500


def test_an_order_other_than_finish_is_taken_off_a_terminating_pod() -> None:
    sim = Sim(bound_pod(), SLOW).until(100).mark(30).order("crash")
    assert dict(sim.pod.metadata.annotations) == {}
    assert sim.app.state.HasField("running")
    assert sim.until(200).ended == 112


def test_a_final_pod_that_finalizers_keep_is_let_go() -> None:
    sim = Sim(bound_pod(policy="Never"), rules("stage: crash, exit_code: 0")).until(5).mark(0)
    progress = sim.look()
    assert (progress.ended, progress.status) == (True, None)


def test_force_leaves_nothing_to_wait_for() -> None:
    sim = Sim(bound_pod(), SLOW).until(100).mark(0)
    assert sim.look().ended
    assert INSTANT.rules == ()


def with_sidecars(*names: str) -> Pod:
    pod = bound_pod(app("one"), app("two"))
    pod.spec.init_containers.extend(Container(name=name, image=name, restart_policy="Always") for name in names)
    return pod


def test_4_sidecars_end_after_the_others_the_last_one_first() -> None:
    profile = rules("stage: terminate, match: {image: nginx*}, delay: 4", "stage: terminate, delay: 3, exit_code: 7")
    sim = Sim(with_sidecars("mesh", "log"), profile).until(100).mark(30).until(200)
    assert sim.ended == 110
    assert {each.state.terminated.exit_code for each in sim.pod.status.init_container_statuses} == {7}


def test_4_sidecars_share_the_grace_period() -> None:
    profile = rules("stage: terminate, delay: 8")
    sim = Sim(with_sidecars("mesh", "log"), profile).until(100).mark(20).until(200)
    codes = {each.name: each.state.terminated.exit_code for each in sim.pod.status.init_container_statuses}
    assert (sim.ended, codes) == (120, {"mesh": 137, "log": 0})
