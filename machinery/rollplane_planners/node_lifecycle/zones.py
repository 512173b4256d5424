"""How fast nodes may be given up: a network that fails looks like many nodes that fail, and must not empty a zone.

Each zone has its own pace for NoExecute taints, and slows down when most of it is not ready. When no zone has a ready
node left, it is the observer that is cut off: nothing is given up, and what was is taken back.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from rollplane_planners.node_lifecycle.health import NodeHealth
from rollplane_planners.node_lifecycle.times import NodeTimes

UNHEALTHY_SHARE = 0.55
"""A zone is disrupted when at least this part of it is not ready …"""
FEW_NODES = 2
"""… and more nodes than these are."""
LARGE_ZONE = 50
"""A disrupted zone with more nodes than these is still emptied, slowly."""


class ZoneState(Enum):
    """How much of a zone is ready."""

    NORMAL = "normal"
    PARTIAL = "partial"
    FULL = "full"


def zone_state(ready: int, not_ready: int) -> ZoneState:
    """Return the state of a zone with that many nodes of each sort."""
    if not ready and not_ready:
        return ZoneState.FULL
    if not_ready > FEW_NODES and not_ready / (ready + not_ready) >= UNHEALTHY_SHARE:
        return ZoneState.PARTIAL
    return ZoneState.NORMAL


def eviction_rate(state: ZoneState, nodes: int, times: NodeTimes) -> float:
    """Return how many of ``nodes`` in a zone may get a NoExecute taint each second."""
    if state is not ZoneState.PARTIAL:
        return times.eviction_rate
    return times.secondary_eviction_rate if nodes > LARGE_ZONE else 0.0


@dataclass(slots=True)
class _Zone:
    """``queue`` holds the nodes that wait for their turn, first come first served; ``last`` is when one was granted."""

    rate: float = 0.0
    last: float = -math.inf
    queue: dict[str, None] = field(default_factory=dict)

    def take(self, monotonic: float) -> str | None:
        """Return the node whose turn it is, None when it is nobody's yet."""
        if not self.queue or not self.rate or monotonic < self.last + 1 / self.rate:
            return None
        self.last = monotonic
        name = next(iter(self.queue))
        del self.queue[name]
        return name


@dataclass(frozen=True, slots=True)
class Verdict:
    """``turned``: all zones went down, or no longer are. ``resumed``: the latter, so silence is to be reckoned anew."""

    turned: bool
    resumed: bool


class Zones:
    """All zones, as of the last ``judge``. Nodes that ask later are heard by the next one.

    So a whole zone that falls silent at once is seen to be one before its first node is given up.
    """

    def __init__(self, times: NodeTimes) -> None:
        self._times = times
        self._zones: dict[str, _Zone] = {}
        self._asking: dict[str, str] = {}
        self.all_down = False
        """Whether no zone has a ready node; then nothing is granted, and NoExecute taints are to go."""

    @property
    def waiting(self) -> bool:
        """Whether any node waits for its turn."""
        return any(zone.queue for zone in self._zones.values())

    def ask(self, zone: str, name: str) -> None:
        """Let a node wait for its turn; asking again changes nothing."""
        if name not in self._zones.setdefault(zone, _Zone()).queue:
            self._asking[name] = zone

    def leave(self, zone: str, name: str) -> None:
        """Let a node wait no longer."""
        self._asking.pop(name, None)
        if zone in self._zones:
            self._zones[zone].queue.pop(name, None)

    def judge(self, nodes: Collection[NodeHealth]) -> Verdict:
        """Set each zone's pace by the nodes that are ready now, and line up those that have asked."""
        ready = Counter(node.zone for node in nodes if node.is_ready and not node.excluded)
        not_ready = Counter(node.zone for node in nodes if not node.is_ready and not node.excluded)
        names = sorted({*ready, *not_ready})
        states = {name: zone_state(ready[name], not_ready[name]) for name in names}
        for name, state in states.items():
            size = ready[name] + not_ready[name]
            self._zones.setdefault(name, _Zone()).rate = eviction_rate(state, size, self._times)
        was_down = self.all_down
        self.all_down = bool(states) and all(state is ZoneState.FULL for state in states.values())
        self._line_up()
        return Verdict(was_down != self.all_down, was_down and not self.all_down)

    def _line_up(self) -> None:
        for name, zone in self._asking.items():
            self._zones[zone].queue[name] = None
        self._asking.clear()

    def grant(self, monotonic: float) -> list[str]:
        """Return the nodes whose turn has come, at most one of each zone; they wait no longer."""
        if self.all_down:
            return []
        return [name for zone in self._zones.values() if (name := zone.take(monotonic)) is not None]
