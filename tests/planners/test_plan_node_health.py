"""Heartbeats and silence: docs/semantics/pod-lifecycle.md section 9, "Either signal" and the table's grace times."""

from __future__ import annotations

import pytest

from rollplane_machinery.releases import release_of
from rollplane_machinery.times import to_seconds
from rollplane_planners.node_lifecycle.conditions import silenced
from rollplane_planners.node_lifecycle.health import (
    NodeHealth,
    is_newly_silent,
    is_silent,
    observe_lease,
    observe_node,
    restarted,
    zone_of,
)
from rollplane_planners.node_lifecycle.times import DEFAULT_TIMES, NodeTimes, times_of
from tests.planners.nodes import NOW, health, node

READY = {"Ready": "True"}


def test_first_look_at_a_reporting_node_is_a_signal() -> None:
    assert observe_node(None, node(conditions=READY), NOW, 100.0).heard == 100.0


def test_signal_new_heartbeat_of_ready_counts_whatever_its_time_says() -> None:
    before = observe_node(None, node(conditions=READY, heartbeat=NOW), NOW, 100.0)
    long_ago = node(conditions=READY, heartbeat=NOW - 5_000)
    assert observe_node(before, long_ago, NOW, 130.0).heard == 130.0


def test_same_heartbeat_is_no_signal_even_if_the_node_changed() -> None:
    before = observe_node(None, node(conditions=READY), NOW, 100.0)
    changed = node(conditions={"Ready": "Unknown"}, labels={"a": "b"})
    after = observe_node(before, changed, NOW, 130.0)
    assert (after.heard, after.ready) == (100.0, "Unknown")


def test_signal_renewed_lease_counts() -> None:
    before = observe_lease(health(heard=1.0), NOW - 9_999, 50.0)
    assert before.heard == 50.0
    assert observe_lease(before, NOW - 9_989, 60.0).heard == 60.0


@pytest.mark.parametrize("renewed", [NOW, NOW - 10])
def test_lease_that_was_written_but_not_renewed_is_no_signal(renewed: float) -> None:
    before = observe_lease(health(), NOW, 50.0)
    assert observe_lease(before, renewed, 60.0) is before


def test_node_that_never_reported_counts_from_its_creation() -> None:
    never = observe_node(None, node(created=NOW - 25), NOW, 100.0)
    assert (never.heard, never.ready) == (75.0, "")
    assert observe_node(never, node(created=NOW - 25), NOW + 10, 110.0).heard == 75.0
    assert observe_node(never, node(conditions=READY), NOW + 10, 110.0).heard == 110.0


SILENCE: dict[str, tuple[str, float, bool]] = {
    "50 s": ("True", 50.0, False),
    "over 50 s": ("True", 50.1, True),
    "over 50 s, not ready": ("False", 50.1, True),
    "never reported, 60 s": ("", 60.0, False),
    "never reported, over 60 s": ("", 60.1, True),
}


@pytest.mark.parametrize(("ready", "seconds", "silent"), SILENCE.values(), ids=SILENCE)
def test_grace(ready: str, seconds: float, silent: bool) -> None:
    assert is_silent(health(ready, heard=1_000.0), DEFAULT_TIMES, 1_000.0 + seconds) is silent
    assert is_newly_silent(health(ready, heard=1_000.0), DEFAULT_TIMES, 1_000.0 + seconds) is silent


def test_node_that_is_shown_as_silent_is_no_news() -> None:
    assert is_silent(health("Unknown"), DEFAULT_TIMES, 500.0)
    assert not is_newly_silent(health("Unknown"), DEFAULT_TIMES, 500.0)


def test_grace_times_are_settings() -> None:
    assert is_silent(health(), NodeTimes(grace_seconds=2), 2.5)


@pytest.mark.parametrize(("release", "seconds"), [("1.31", 40.0), ("1.32", 50.0)])
def test_grace_is_that_of_the_release(release: str, seconds: float) -> None:
    times = times_of(release_of(release))
    assert times.grace_seconds == seconds
    assert [is_silent(health(), times, at) for at in (seconds, seconds + 0.1)] == [False, True]


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("name", ["monitor_seconds", "grace_seconds", "startup_grace_seconds"])
def test_times_that_make_no_sense_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        NodeTimes(**{name: value})
    with pytest.raises(ValueError, match="eviction_rate"):
        NodeTimes(eviction_rate=-1.0)


def test_restarted_gives_the_benefit_of_the_doubt_but_not_to_who_never_reported() -> None:
    assert restarted(health(heard=1.0), 99.0).heard == 99.0
    assert restarted(health("", heard=1.0), 99.0).heard == 1.0


ZONES: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, ""),
    "both": ({"topology.kubernetes.io/region": "eu", "topology.kubernetes.io/zone": "a"}, "eu/a"),
    "zone only": ({"topology.kubernetes.io/zone": "a"}, "/a"),
}


@pytest.mark.parametrize(("labels", "zone"), ZONES.values(), ids=ZONES)
def test_zone_of(labels: dict[str, str], zone: str) -> None:
    assert zone_of(node(labels=labels)) == zone


def test_excluded_label_is_noticed() -> None:
    labels = {"node.kubernetes.io/exclude-disruption": ""}
    seen: NodeHealth = observe_node(None, node(conditions=READY, labels=labels), NOW, 0.0)
    assert seen.excluded


def test_loss_1_conditions_become_unknown_with_node_status_unknown() -> None:
    before = node(
        conditions={"Ready": "True", "MemoryPressure": "False", "DiskPressure": "True", "PIDPressure": "False"}
    )
    after = silenced(before, NOW + 50)
    assert after is not None
    assert [(one.type, one.status, one.reason, one.message) for one in after.status.conditions] == [
        (type_, "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
        for type_ in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    assert {to_seconds(one.last_transition_time) for one in after.status.conditions} == {NOW + 50}
    assert {to_seconds(one.last_heartbeat_time) for one in after.status.conditions} == {NOW}


def test_loss_1_never_reported_is_node_status_never_updated() -> None:
    after = silenced(node(created=NOW - 70), NOW)
    assert after is not None
    assert [(one.type, one.reason) for one in after.status.conditions] == [
        (type_, "NodeStatusNeverUpdated") for type_ in ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    assert {to_seconds(one.last_heartbeat_time) for one in after.status.conditions} == {NOW - 70}


def test_loss_1_said_already_changes_nothing_and_leaves_other_conditions() -> None:
    after = silenced(node(conditions={"Ready": "True", "NetworkUnavailable": "False"}), NOW)
    assert after is not None
    assert {one.type: one.status for one in after.status.conditions}["NetworkUnavailable"] == "False"
    assert silenced(after, NOW + 100) is None
