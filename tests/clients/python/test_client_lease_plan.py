"""The pure rules of leases: by whose clock one runs out, and what each step writes."""

from __future__ import annotations

import pytest

from rollplane.coordination.v1 import Lease
from rollplane_client.lease_plan import LeaseTimes, Observation, new_lease, released, renewed, taken
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import LEASE
from rollplane_machinery.times import micro_time_of

KEY = Key(LEASE, "kube-system", "controller")
TIMES = LeaseTimes(duration_seconds=15, deadline_seconds=10.0, renew_seconds=3.0)
NOW = 1_600_000_000.25


def lease(version: str, holder: str = "other", duration: int = 15) -> Lease:
    message = new_lease(KEY, holder, TIMES, NOW)
    message.metadata.resource_version = version
    message.spec.lease_duration_seconds = duration
    return message


def test_a_lease_runs_out_by_the_time_we_have_watched_it_unchanged() -> None:
    first = Observation.of(lease("1"), 100.0, None)
    again = Observation.of(lease("1"), 114.9, first)
    assert again is first
    assert not again.is_free(114.9)
    assert again.is_free(115.0)


def test_a_renewal_starts_the_time_anew_whatever_its_holders_clock_says() -> None:
    first = Observation.of(lease("1"), 100.0, None)
    later = Observation.of(lease("2"), 114.0, first)
    assert not later.is_free(128.9)
    assert later.is_free(129.0)


def test_a_lease_that_nobody_holds_is_free_at_once() -> None:
    assert Observation.of(lease("1", holder=""), 100.0, None).is_free(100.0)


def test_the_duration_is_the_holders() -> None:
    observed = Observation.of(lease("1", duration=60), 0.0, None)
    assert not observed.is_free(59.0)
    assert observed.is_free(60.0)


def test_a_new_lease_names_holder_times_and_no_transition() -> None:
    spec = new_lease(KEY, "me", TIMES, NOW).spec
    assert (spec.holder_identity, spec.lease_duration_seconds, spec.lease_transitions) == ("me", 15, 0)
    assert spec.acquire_time == spec.renew_time == micro_time_of(NOW)


@pytest.mark.parametrize(("holder", "transitions"), [("other", 1), ("me", 0), ("", 1)])
def test_taking_over_counts_a_transition(holder: str, transitions: int) -> None:
    before = lease("7", holder=holder)
    after = taken(before, "me", TIMES, NOW + 60)
    assert after.spec.lease_transitions == transitions
    assert after.spec.acquire_time == micro_time_of(NOW + 60)
    assert after.metadata.resource_version == "7"
    assert before == lease("7", holder=holder)


def test_a_renewal_changes_the_renew_time_only() -> None:
    before = lease("7", holder="me")
    after = renewed(before, NOW + 3)
    assert after.spec.renew_time == micro_time_of(NOW + 3)
    after.spec.renew_time.CopyFrom(before.spec.renew_time)
    assert after == before


def test_a_released_lease_has_no_holder_and_runs_out_soon() -> None:
    after = released(lease("7", holder="me"), NOW)
    assert (after.spec.holder_identity, after.spec.lease_duration_seconds) == ("", 1)


def test_micro_time_has_microseconds() -> None:
    time = micro_time_of(1_600_000_000.123456)
    assert (time.seconds, time.nanos) == (1_600_000_000, 123_456_000)


@pytest.mark.parametrize(("duration", "deadline", "renew"), [(10, 10.0, 3.0), (15, 3.0, 3.0), (15, 10.0, 0.0)])
def test_times_that_make_no_sense_are_refused(duration: int, deadline: float, renew: float) -> None:
    with pytest.raises(ValueError, match="renew < deadline < duration"):
        LeaseTimes(duration, deadline, renew)
