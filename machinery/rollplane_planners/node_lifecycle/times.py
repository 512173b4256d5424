"""How long silence is borne, and how fast nodes are then given up."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_machinery.releases import LATEST, Release


@dataclass(frozen=True, slots=True)
class NodeTimes:
    """Seconds, and nodes a second; the defaults are those of the newest Kubernetes.

    Nodes are looked at every ``monitor_seconds``. One that has reported before may be silent for ``grace_seconds``, one
    that never has for ``startup_grace_seconds`` after its creation. Nodes of one zone get their NoExecute taint at
    ``eviction_rate``; in a disrupted zone at ``secondary_eviction_rate``, or not at all if it is small.
    """

    monitor_seconds: float = 5.0
    grace_seconds: float = LATEST.node_grace_seconds
    startup_grace_seconds: float = 60.0
    eviction_rate: float = 0.1
    secondary_eviction_rate: float = 0.01

    def __post_init__(self) -> None:
        for name in ("monitor_seconds", "grace_seconds", "startup_grace_seconds"):
            if not getattr(self, name) > 0:  # not a number is no time either
                raise ValueError(f"{name} is {getattr(self, name)}, want more than 0")
        for name in ("eviction_rate", "secondary_eviction_rate"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, want 0 or more")


DEFAULT_TIMES = NodeTimes()


def times_of(release: Release) -> NodeTimes:
    """Return the times of a stock control plane of that release."""
    return NodeTimes(grace_seconds=release.node_grace_seconds)
