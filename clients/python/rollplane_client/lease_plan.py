"""When a lease is to be taken, renewed, waited for or given up: pure, all times come in.

A lease is held as long as its holder keeps changing it. Whether it has run out is judged by the observer's own
clock, from the moment *it* saw the last change, never by comparing its clock with the one that wrote the lease. The
algorithm is that of kubernetes/client-go ``tools/leaderelection/leaderelection.go``.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.coordination.v1 import Lease
from rollplane_machinery.api import Key
from rollplane_machinery.times import micro_time_of


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """``duration_seconds`` is how long others wait for a silent holder, whole seconds.

    A holder renews each ``renew_seconds`` and stops acting when it has not managed to for ``deadline_seconds``, which
    must be shorter than the duration: so the old holder has stopped before a new one starts, if their clocks run at
    about the same speed (the fence holds even if they do not). ``retry_seconds`` lie between two looks of who waits.
    """

    duration_seconds: int = 15
    deadline_seconds: float = 10.0
    renew_seconds: float = 3.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.renew_seconds < self.deadline_seconds < self.duration_seconds:
            raise ValueError(f"want renew < deadline < duration, not {self}")


@dataclass(frozen=True, slots=True)
class Observation:
    """A lease as last seen, and when (by our own monotonic clock) it was first seen in that state."""

    resource_version: str
    holder: str
    duration_seconds: int
    since: float

    @classmethod
    def of(cls, lease: Lease, now: float, before: Observation | None) -> Observation:
        """Return what ``lease`` tells at ``now``; unchanged since ``before``, it keeps the time of that."""
        version = lease.metadata.resource_version
        if before is not None and before.resource_version == version:
            return before
        return cls(version, lease.spec.holder_identity, lease.spec.lease_duration_seconds, now)

    def is_free(self, now: float) -> bool:
        """Return whether anybody may take the lease: nobody holds it, or its holder has been silent too long."""
        return not self.holder or now >= self.since + self.duration_seconds


def new_lease(key: Key, identity: str, times: LeaseTimes, now: float) -> Lease:
    """Return the lease to create for its first holder; ``now`` is the time of day."""
    lease = Lease()
    lease.metadata.namespace = key.namespace
    lease.metadata.name = key.name
    lease.spec.lease_transitions = 0
    _hold(lease, identity, times, now)
    return lease


def taken(lease: Lease, identity: str, times: LeaseTimes, now: float) -> Lease:
    """Return ``lease`` as taken over by ``identity``, or taken up again by it."""
    result = _copy(lease)
    if lease.spec.holder_identity != identity:
        result.spec.lease_transitions += 1
    _hold(result, identity, times, now)
    return result


def renewed(lease: Lease, now: float) -> Lease:
    """Return ``lease`` with a fresh renew time."""
    result = _copy(lease)
    result.spec.renew_time.CopyFrom(micro_time_of(now))
    return result


def released(lease: Lease, now: float) -> Lease:
    """Return ``lease`` given up, so that the next holder need not wait."""
    result = _copy(lease)
    result.spec.holder_identity = ""
    result.spec.lease_duration_seconds = 1  # zero is not valid
    result.spec.renew_time.CopyFrom(micro_time_of(now))
    return result


def _hold(lease: Lease, identity: str, times: LeaseTimes, now: float) -> None:
    lease.spec.holder_identity = identity
    lease.spec.lease_duration_seconds = times.duration_seconds
    lease.spec.acquire_time.CopyFrom(micro_time_of(now))
    lease.spec.renew_time.CopyFrom(micro_time_of(now))


def _copy(lease: Lease) -> Lease:
    result = Lease()
    result.CopyFrom(lease)
    return result
