"""Which taints a node carries for what its conditions and its spec say; all other taints are left alone.

NoSchedule taints follow at once. The NoExecute taint, which drives pods away, must be granted (``zones``); once there
it changes its key at once, and goes as soon as the node is ready.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.core.v1 import Node, Taint
from rollplane_machinery.conditions import FALSE, TRUE, UNKNOWN
from rollplane_machinery.nodes import NODE_READY
from rollplane_machinery.times import time_of
from rollplane_planners.scheduling.node_affinity import NO_EXECUTE, NO_SCHEDULE

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"

_BY_CONDITION: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (NODE_READY, FALSE): NOT_READY,
        (NODE_READY, UNKNOWN): UNREACHABLE,
        ("MemoryPressure", TRUE): "node.kubernetes.io/memory-pressure",
        ("DiskPressure", TRUE): "node.kubernetes.io/disk-pressure",
        ("PIDPressure", TRUE): "node.kubernetes.io/pid-pressure",
        ("NetworkUnavailable", TRUE): "node.kubernetes.io/network-unavailable",
    }
)
_LOSS_KEYS = (NOT_READY, UNREACHABLE)
_MANAGED = frozenset(
    [(key, NO_SCHEDULE) for key in (*_BY_CONDITION.values(), UNSCHEDULABLE)] + [(key, NO_EXECUTE) for key in _LOSS_KEYS]
)


@dataclass(frozen=True, slots=True)
class Tainting:
    """``node`` is a copy with the right taints, None when it has them; ``waits`` for its NoExecute to be granted."""

    node: Node | None
    waits: bool


def plan_taints(node: Node, *, granted: bool, lifted: bool, now: float) -> Tainting:
    """Return what the taints of ``node`` should be.

    ``granted`` allows a NoExecute taint where there is none; ``lifted`` takes it from every node, as when all zones are
    down.
    """
    loss = no_execute_key(node)
    has_one = any(taint.effect == NO_EXECUTE and taint.key in _LOSS_KEYS for taint in node.spec.taints)
    waits = bool(loss) and not lifted and not has_one and not granted
    wanted = [(key, NO_SCHEDULE) for key in _no_schedule_keys(node)]
    if loss and not lifted and (has_one or granted):
        wanted.append((loss, NO_EXECUTE))
    return Tainting(_with_taints(node, wanted, now), waits)


def no_execute_key(node: Node) -> str:
    """Return the taint that the Ready condition asks for, "" for a node that is ready or has never said."""
    ready = {condition.type: condition.status for condition in node.status.conditions}.get(NODE_READY, TRUE)
    return _BY_CONDITION.get((NODE_READY, ready), "")


def no_execute_taints(node: Node) -> tuple[Taint, ...]:
    """Return the taints that drive pods away, whoever has put them there."""
    return tuple(taint for taint in node.spec.taints if taint.effect == NO_EXECUTE)


def _no_schedule_keys(node: Node) -> Iterator[str]:
    for condition in node.status.conditions:
        key = _BY_CONDITION.get((condition.type, condition.status))
        if key is not None:
            yield key
    if node.spec.unschedulable:
        yield UNSCHEDULABLE


def _with_taints(node: Node, wanted: list[tuple[str, str]], now: float) -> Node | None:
    kept = [
        taint
        for taint in node.spec.taints
        if (taint.key, taint.effect) not in _MANAGED or (taint.key, taint.effect) in wanted
    ]
    there = {(taint.key, taint.effect) for taint in kept}
    missing = [
        Taint(key=key, effect=effect, time_added=time_of(now)) for key, effect in wanted if (key, effect) not in there
    ]
    if not missing and len(kept) == len(node.spec.taints):
        return None
    tainted = Node()
    tainted.CopyFrom(node)
    del tainted.spec.taints[:]
    tainted.spec.taints.extend([*kept, *missing])
    return tainted
