"""What a watch shows becomes a recording: states, promises, revisions, waits."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery.api import EventType
from rollplane_page.recorder import told_together
from rollplane_page.recording import EventLine, Mark, PodLine, PodState, Recording, Wait
from tests.page.recordings import BEGAN, batch, deployment, event, pod, recorder, replica_set


def _failing() -> Pod:
    message = pod("a", node="n")
    status = message.status.container_statuses.add(name="web", image="web:v1")
    status.state.waiting.reason = "ImagePullBackOff"
    return message


def _deleted() -> Pod:
    message = pod("a", node="n", ready_at=0)
    message.metadata.deletion_timestamp.seconds = int(BEGAN)
    return message


STATES = {
    "without a node": (pod("a"), PodState.PENDING),
    "bound": (pod("a", node="n"), PodState.STARTING),
    "ready": (pod("a", node="n", ready_at=0), PodState.AVAILABLE),
    "in trouble": (_failing(), PodState.FAILING),
    "being deleted": (_deleted(), PodState.TERMINATING),
}


@pytest.mark.parametrize(("message", "state"), STATES.values(), ids=STATES)
def test_the_state_of_a_pod(message: Pod, state: PodState) -> None:
    told = recorder()
    told.take(batch(deployment(), replica_set(), message), BEGAN + 2)
    assert told.recording.changes == [(2.0, 0, state)]
    assert told.recording.pods == [PodLine("a", 0, 0, message.spec.node_name)]


def test_a_pod_ripens_without_a_change_and_goes() -> None:
    told = recorder()
    told.take(batch(deployment(min_ready=10), replica_set(), pod("a", node="n", ready_at=3)), BEGAN + 3)
    told.take(batch(event("Pulled")), BEGAN + 20)
    told.take(batch(pod("a", node="n", ready_at=3), kind=EventType.DELETED), BEGAN + 25)
    assert told.recording.changes == [
        (3.0, 0, PodState.READY),
        (13.0, 0, PodState.AVAILABLE),
        (25.0, 0, PodState.GONE),
    ]


def test_a_pod_that_lost_its_readiness_does_not_ripen() -> None:
    told = recorder()
    told.take(batch(deployment(min_ready=10), replica_set(), pod("a", node="n", ready_at=3)), BEGAN + 3)
    told.take(batch(pod("a", node="n")), BEGAN + 5)
    told.take(batch(pod("a", node="n", ready_at=8)), BEGAN + 8)
    assert told.finish(BEGAN + 15).changes[-1] == (8.0, 0, PodState.READY)


def test_revisions_come_in_the_order_they_are_seen_and_pods_of_others_do_not_count() -> None:
    told = recorder()
    pods = [pod("a"), pod("b", owner="r2", image="web:v2"), pod("stranger", owner="nobody")]
    told.take(batch(deployment(), replica_set(), replica_set("r2"), *pods), BEGAN)
    (workload,) = told.recording.workloads
    assert workload.revisions == ["web:v1 r1", "web:v2 r2"]
    assert [line.revision for line in told.recording.pods] == [0, 1]


PROMISES = {"RollingUpdate": (4, 3, 5), "Recreate": (4, None, 4)}


@pytest.mark.parametrize(("kind", "promised"), PROMISES.items())
def test_what_a_manifest_promises(kind: str, promised: tuple[int, int | None, int | None]) -> None:
    told = recorder()
    told.take(batch(deployment(kind=kind)), BEGAN)
    (workload,) = told.recording.workloads
    assert (workload.desired, workload.least_available, workload.most_pods) == promised


def test_waits_follow_each_other_and_end_with_the_recording() -> None:
    told = recorder()
    told.take(batch(deployment()), BEGAN)
    for at, sentence in ((1, "a"), (2, "a"), (3, "b"), (4, ""), (6, "c")):
        told.waits("d", sentence, BEGAN + at)
    told.waits("stranger", "x", BEGAN)
    assert told.finish(BEGAN + 9).waits == [Wait(1, 3, 0, "a"), Wait(3, 4, 0, "b"), Wait(6, 9, 0, "c", lasting=True)]


def test_sentences_about_one_subject_are_told_with_all_their_counts() -> None:
    told = recorder()
    told.take(batch(deployment()), BEGAN)
    for at, sentence in ((1, "5 pods"), (2, "2 pods"), (4, "1 pod"), (5, "2 pods"), (6, "")):
        told.waits("d", sentence, BEGAN + at, "not ready" if sentence else "")
    assert told.finish(BEGAN + 9).waits == [Wait(1, 6, 0, "1 to 5 pods")]


TOGETHER = {
    "counts": (
        {"waits for 1 new pod to end": 5.0, "waits for 4 new pods to end": 1.0},
        "waits for 1 to 4 new pods to end",
    ),
    "brackets": ({"for 3 pods (A)": 2.0, "for 2 pods (B)": 1.5, "for 1 pod (B)": 1.0}, "for 1 to 3 pods (B)"),
    "names": ({"waits for web-2 to end (1 pod)": 1.0, "waits for web-1 to end": 2.0}, "waits for web-1 to end"),
    "one": ({"until 3 new pods stayed ready for 5 s (x)": 1.0}, "until 3 new pods stayed ready for 5 s (x)"),
}


@pytest.mark.parametrize(("lasted", "told"), TOGETHER.values(), ids=TOGETHER)
def test_one_sentence_for_several(lasted: dict[str, float], told: str) -> None:
    assert told_together(lasted) == told


def test_a_wait_that_was_left_for_no_time_is_one() -> None:
    told = recorder()
    told.take(batch(deployment()), BEGAN)
    for at, sentence in ((1, "a"), (3, "b"), (3, "a"), (6, "c"), (8, "a"), (9, "")):
        told.waits("d", sentence, BEGAN + at)
    assert told.finish(BEGAN + 9).waits == [Wait(1, 6, 0, "a"), Wait(6, 8, 0, "c"), Wait(8, 9, 0, "a")]


def test_a_mark_parts_waits() -> None:
    told = recorder()
    told.take(batch(deployment()), BEGAN)
    told.waits("d", "a", BEGAN + 1)
    told.mark("undo", BEGAN + 4)
    told.waits("d", "a", BEGAN + 4)
    told.waits("d", "", BEGAN + 6)
    assert told.finish(BEGAN + 9).waits == [Wait(1, 4, 0, "a"), Wait(4, 6, 0, "a")]


def test_times_count_from_a_moment_with_a_little_of_what_was_before() -> None:
    told = recorder()
    told.take(batch(deployment(), replica_set(), pod("a", node="n"), pod("b"), event("Early")), BEGAN + 1)
    told.take(batch(pod("a", node="n", ready_at=3)), BEGAN + 4)
    told.take(batch(pod("b"), kind=EventType.DELETED), BEGAN + 5)
    told.mark("v2 applied", BEGAN + 10)
    told.waits("d", "a", BEGAN + 11)
    told.take(batch(pod("a", node="n"), event("Late")), BEGAN + 12)
    cut = told.finish(BEGAN + 20).counted_from(10, lead=2)
    assert (cut.begin, cut.end) == (-2, 10)
    assert cut.changes == [(-2, 0, PodState.AVAILABLE), (2, 0, PodState.STARTING)]
    assert [each.reason for each in cut.events] == ["Late"]
    assert (cut.marks, cut.waits) == ([Mark(0, "v2 applied")], [Wait(1, 10, 0, "a", lasting=True)])


def test_events_and_marks() -> None:
    told = recorder()
    told.take(batch(event("Failed")), BEGAN + 1)
    told.mark("v2 applied", BEGAN + 2)
    assert told.recording.events == [EventLine(1.0, True, "Failed", "pod/a", "told")]
    assert told.recording.marks == [Mark(2.0, "v2 applied")]


def test_json_holds_places_and_rounded_times() -> None:
    told = recorder()
    told.take(batch(deployment(), replica_set(), pod("a", node="n")), BEGAN + 1.23456)
    as_json = told.finish(BEGAN + 2).as_json()
    assert as_json["changes"] == [[1.235, 0, 1]]
    assert as_json["pods"] == [["a", 0, 0, "n"]]
    assert Recording("empty").as_json()["end"] == 0.0
