"""What is rehearsed: what runs before, what changes, on which cluster. Plain values that travel to other processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.stages.rules import Profile

PATIENCE_SECONDS = 900.0
"""How long a rollout is followed; Deployments give up by themselves, after their progressDeadlineSeconds."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply manifests, as JSON or YAML text."""

    manifests: str


@dataclass(frozen=True, slots=True)
class SetImage:
    """Give containers new images; ``workload`` is ``kind/namespace/name``, the container ``*`` means all."""

    workload: str
    images: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Patch:
    """Patch an object strategically, a workload or any other; ``patch`` is JSON text."""

    workload: str
    patch: str


Change = Apply | SetImage | Patch


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where it happens: a number of nodes or pools of them, what pods live by, the release behaved as."""

    nodes: int | tuple[NodePool, ...] = 3
    profile: str | Profile = "realistic"
    release: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """``before`` is manifests as text, the stand-ins for what is only referred to among them.

    ``script`` is the steps of a scenario as its file has them, ``draws`` what is drawn in them for each seed.
    """

    title: str
    before: str
    changes: Sequence[Change]
    cluster: Cluster = Cluster()
    patience_seconds: float = PATIENCE_SECONDS
    undo: bool = True
    script: Sequence[Any] = ()
    draws: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = field(default=())
