"""What can be said of a pod: docs/semantics/pod-lifecycle.md section 7, and Kubernetes' IsPodAvailable, by cases."""

from __future__ import annotations

import math

import pytest

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import ObjectMeta, OwnerReference, Time
from rollplane_machinery import pods
from rollplane_machinery.metadata import controller_of, controller_uid, is_being_deleted
from rollplane_machinery.times import time_of
from rollplane_planners.pods import pod_view, seconds_until_available

NOW = 1_600_000_000.0


def _pod(status: str = "True", since: float | None = NOW, phase: str = "Running") -> Pod:
    pod = Pod()
    pod.status.phase = phase
    pod.status.conditions.add(type="Initialized", status="True")
    ready = pod.status.conditions.add(type="Ready", status=status)
    if since is not None:
        ready.last_transition_time.CopyFrom(time_of(since))
    return pod


AVAILABLE = {
    "not ready": (_pod("False"), 0, NOW + 1000, False),
    "readiness unknown": (_pod("Unknown"), 0, NOW + 1000, False),
    "no condition": (Pod(), 0, NOW, False),
    "ready, no wait": (_pod(), 0, NOW, True),
    "ready, no wait, by a clock that is behind": (_pod(), 0, NOW - 5, True),
    "ready since nobody knows, no wait": (_pod(since=None), 0, NOW, True),
    "ready since nobody knows is never long enough": (_pod(since=None), 10, NOW, False),
    "not long enough": (_pod(), 10, NOW + 9.9, False),
    "just as long as that is not longer": (_pod(), 10, NOW + 10, False),
    "long enough": (_pod(), 10, NOW + 10.1, True),
}


@pytest.mark.parametrize(("pod", "min_ready_seconds", "now", "expected"), AVAILABLE.values(), ids=AVAILABLE)
def test_availability(pod: Pod, min_ready_seconds: int, now: float, expected: bool) -> None:
    assert pods.is_pod_available(pod, min_ready_seconds, now) is expected
    assert pod_view(pod).is_available(min_ready_seconds, now) is expected


AFTER = {
    "when it has been ready for long enough": (NOW, 10, NOW + 10),
    "at any time": (NOW, 0, -math.inf),
    "at any time, whenever it was ready": (0.0, 0, -math.inf),
    "never: ready since nobody knows": (0.0, 10, None),
    "never: not ready": (None, 0, None),
}


@pytest.mark.parametrize(("since", "min_ready_seconds", "after"), AFTER.values(), ids=AFTER)
def test_when_a_pod_becomes_available(since: float | None, min_ready_seconds: int, after: float | None) -> None:
    assert pods.available_after(since, min_ready_seconds) == after


def test_the_next_look_finds_the_first_pod_available() -> None:
    views = [pod_view(_pod(since=NOW - 20)), pod_view(_pod(since=NOW - 4)), pod_view(_pod(since=NOW)), pod_view(Pod())]
    seconds = seconds_until_available(views, 10, NOW)
    assert seconds is not None
    assert [view.is_available(10, NOW + seconds) for view in views] == [True, True, False, False]
    assert not views[1].is_available(10, NOW + seconds - 0.1)


def test_there_is_no_next_look_when_nobody_waits() -> None:
    assert seconds_until_available([pod_view(_pod(since=NOW - 20)), pod_view(Pod())], 10, NOW) is None
    assert seconds_until_available([pod_view(_pod())], 0, NOW) is None


@pytest.mark.parametrize(
    ("phase", "finished"), [("", False), ("Running", False), ("Succeeded", True), ("Failed", True)]
)
def test_finished_and_active(phase: str, finished: bool) -> None:
    pod = _pod(phase=phase)
    assert (pods.is_pod_finished(pod), pods.is_pod_active(pod)) == (finished, not finished)
    pod.metadata.deletion_timestamp.CopyFrom(time_of(NOW))
    assert not pods.is_pod_active(pod)


def test_the_controller_is_the_owner_marked_as_such() -> None:
    owner, controller = OwnerReference(uid="1"), OwnerReference(uid="2", controller=True)
    metadata = ObjectMeta(owner_references=[owner, controller])
    assert (controller_of(metadata), controller_uid(metadata)) == (controller, "2")
    bare = ObjectMeta(owner_references=[owner])
    assert (controller_of(bare), controller_uid(bare)) == (None, "")


DELETED = {
    "not": (ObjectMeta(), False),
    "a time without fields means never": (ObjectMeta(deletion_timestamp=Time()), False),
    "at the epoch": (ObjectMeta(deletion_timestamp=Time(seconds=0)), True),
    "later": (ObjectMeta(deletion_timestamp=time_of(NOW)), True),
}


@pytest.mark.parametrize(("metadata", "expected"), DELETED.values(), ids=DELETED)
def test_is_being_deleted(metadata: ObjectMeta, expected: bool) -> None:
    assert is_being_deleted(metadata) is expected
