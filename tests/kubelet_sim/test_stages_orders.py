"""Orders from outside, under profiles that move by themselves and under ``manual``."""

from __future__ import annotations

import pytest

from rollplane_kubelet_sim.stages.rules import Profile
from tests.kubelet_sim.pod_lives import INSTANT, Sim, app, bound_pod, rules

MANUAL = Profile("manual", manual=True)


def manual(*, policy: str = "Always") -> Sim:
    return Sim(bound_pod(policy=policy), MANUAL).until(10)


def test_manual_pods_stay_as_they_are_until_told() -> None:
    sim = manual()
    sim.until(100_000)
    assert (sim.seen, sim.due, sim.pod.status.phase) == ([(0, "ContainerCreating")], None, "Pending")


def test_manual_missing_images_and_deadlines_do_nothing() -> None:
    pod = bound_pod(app(image="web:404"))
    pod.spec.active_deadline_seconds = 5
    assert Sim(pod, MANUAL).until(100).shown == "ContainerCreating"


STORIES: dict[str, tuple[list[str], str, int, str, str]] = {
    "ready": (["ready"], "Running", 0, "Running", "True"),
    "unready": (["unready"], "Running", 0, "Running", "False"),
    "ready, unready": (["ready", "unready"], "Running", 0, "Running", "False"),
    "unready, ready": (["unready", "ready"], "Running", 0, "Running", "True"),
    "crash before it runs": (["crash"], "ContainerCreating", 0, "Pending", "False"),
    "crash": (["ready", "crash"], "Error", 0, "Running", "False"),
    "crash, ready": (["ready", "crash", "ready"], "Running", 1, "Running", "True"),
    "crash twice": (["ready", "crash", "crash"], "CrashLoopBackOff", 1, "Running", "False"),
    "crash thrice, ready": (["ready", "crash", "crash", "crash", "ready"], "Running", 3, "Running", "True"),
    "finish": (["ready", "finish"], "Completed", 0, "Running", "False"),
    "finish, ready": (["ready", "finish", "ready"], "Running", 1, "Running", "True"),
    "no such order": (["ready", "explode"], "Running", 0, "Running", "True"),
}


@pytest.mark.parametrize(("words", "shown", "restarts", "phase", "ready"), STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("restarted", [False, True], ids=["", "kubelet restarted in between"])
def test_manual_story(words: list[str], shown: str, restarts: int, phase: str, ready: str, restarted: bool) -> None:
    sim = manual()
    for word in words:
        if restarted:
            sim.restart_kubelet()
        sim.order(word)
        assert "sim.rollplane.dev/do" not in sim.pod.metadata.annotations
    assert (sim.shown, sim.app.restart_count, sim.pod.status.phase) == (shown, restarts, phase)
    assert sim.condition("Ready")[0] == ready


def test_an_unknown_order_is_answered_with_a_warning() -> None:
    sim = manual().order("explode")
    assert [(note.reason, note.warning) for note in sim.notes] == [("UnknownOrder", True)]
    assert "ready, unready, crash, finish" in sim.notes[0].message


@pytest.mark.parametrize(("word", "phase"), [("finish", "Succeeded"), ("crash", "Failed")])
def test_pods_that_never_restart_end_by_order(word: str, phase: str) -> None:
    sim = manual(policy="Never").order("ready").order(word)
    assert (sim.pod.status.phase, sim.due) == (phase, None)
    assert sim.order("ready").pod.status.phase == phase
    assert dict(sim.pod.metadata.annotations) == {}


def test_init_containers_are_crashed_finished_or_passed() -> None:
    pod = bound_pod()
    pod.spec.init_containers.append(app("init"))
    sim = Sim(pod, MANUAL).until(1)
    assert sim.shown == "Init:0/1"
    assert sim.order("ready").shown == "Running"
    assert sim.init.state.terminated.reason == "Completed"


def test_a_crash_by_order_takes_the_usual_way_back() -> None:
    sim = Sim(bound_pod(), INSTANT).until(10).order("crash")
    assert sim.until(30).seen[1:] == [(10, "Error"), (11, "Running")]
    assert sim.order("crash").until(100).seen[3:] == [(30, "Error"), (31, "CrashLoopBackOff"), (40, "Running")]
    assert sim.app.restart_count == 2


def test_a_pod_told_to_be_unready_stays_so_until_told_otherwise() -> None:
    sim = Sim(bound_pod(), INSTANT).until(10).order("unready").until(1_000)
    assert sim.condition("Ready")[0] == "False"
    sim.restart_kubelet()
    assert sim.until(2_000).condition("Ready")[0] == "False"
    assert sim.order("ready").until(3_000).condition("Ready")[0] == "True"
    assert dict(sim.pod.metadata.annotations) == {}


def test_ready_helps_a_pod_whose_image_is_missing() -> None:
    sim = Sim(bound_pod(app(image="web:404"))).until(5).order("ready")
    assert sim.until(1_000).shown == "Running"


def test_other_annotations_stay() -> None:
    sim = manual()
    sim.pod.metadata.annotations["note"] = "mine"
    assert dict(sim.order("ready").pod.metadata.annotations) == {"note": "mine"}


def test_rules_for_an_order_never_apply_to_what_has_been() -> None:
    """A rule that comes at run time happens from now on, not an hour ago."""
    sim = Sim(bound_pod()).until(3_600)
    sim.profile = rules("stage: crash, delay: 5, limit: 1")
    sim.until(3_610)
    assert sim.seen[1:] == [(3_600, "Error"), (3_601, "Running")]
