"""A scenario: workloads, and phases in which things happen to them. Plain values; ``running`` carries them out.

Times are seconds. Which workload and which action come next is drawn from the seed, so that the same scenario asks the
same of every plane and every cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from rollplane.core.v1 import PodSpec
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, REPLICATION_CONTROLLER, STATEFUL_SET, Kind

PATIENCE_SECONDS = 600.0
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, REPLICATION_CONTROLLER)}


class Action(StrEnum):
    """What can be done to one workload; but for ``drain``, which empties a node of what the load has on it."""

    CREATE = "create"
    ROLL = "roll"
    """The next image."""
    ROLLOVER = "rollover"
    """The next image, and while that is on its way the one after it."""
    SCALE = "scale"
    RESTART = "restart"
    PAUSE = "pause"
    """Pause, the next image, resume."""
    UNDO = "undo"
    """The image before."""
    DELETE_PODS = "delete pods"
    DELETE = "delete"
    DRAIN = "drain"


_TEMPLATES = frozenset({DEPLOYMENT, STATEFUL_SET, DAEMON_SET})
_ALL = frozenset(KINDS.values())
SUITS: Mapping[Action, frozenset[Kind]] = {
    Action.CREATE: _ALL,
    Action.ROLL: _ALL,
    Action.ROLLOVER: _TEMPLATES,
    Action.SCALE: _ALL - {DAEMON_SET},
    Action.RESTART: _TEMPLATES,
    Action.PAUSE: frozenset({DEPLOYMENT}),
    Action.UNDO: _TEMPLATES,
    Action.DELETE_PODS: _ALL,
    Action.DELETE: _ALL,
    Action.DRAIN: _ALL,
}
"""The kinds that an action can be done to."""
BATCHES = (Action.CREATE, Action.ROLL, Action.ROLLOVER, Action.SCALE, Action.RESTART, Action.PAUSE, Action.UNDO)
"""Actions that can be done to all workloads at once."""


class Fault(StrEnum):
    """What can befall a plane, in the words of rehearsals."""

    KILL_STORE = "kill store"
    KILL_APISERVER = "kill apiserver"
    KILL_CONTROLLER = "kill controller"
    KILL_KUBELETS = "kill kubelets"
    SILENCE = "silence"
    UNREADY = "unready"
    RESTART_KUBELET = "restart kubelet"
    CRASH_PODS = "crash pods"
    DELETE_PODS = "delete pods"
    DRAIN = "drain"


KILLS: Mapping[Fault, str] = {
    Fault.KILL_STORE: "redis",
    Fault.KILL_APISERVER: "apiserver",
    Fault.KILL_CONTROLLER: "controller",
    Fault.KILL_KUBELETS: "kubelet_sim",
}
"""The service that is killed."""
OF_NODES = frozenset({Fault.SILENCE, Fault.UNREADY, Fault.RESTART_KUBELET, Fault.DRAIN})
OF_KUBELETS = OF_NODES - {Fault.DRAIN} | {Fault.CRASH_PODS}
"""Faults that only simulated kubelets can have."""
LASTING = frozenset({Fault.SILENCE, Fault.UNREADY, Fault.DRAIN})


@dataclass(frozen=True, slots=True)
class Workloads:
    """``count`` workloads of ``replicas`` pods each; a DaemonSet has a pod a node."""

    kind: Kind = DEPLOYMENT
    count: int = 1
    replicas: int = 1

    @property
    def pods(self) -> int:
        """How many pods they have, as far as that is for them to say."""
        return 0 if self.kind is DAEMON_SET else self.count * self.replicas


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """``fault`` strikes ``at`` seconds after the phase began, and then ``every`` so many seconds, 0 for once.

    ``node`` is a name, a pattern or ``any``; ``pods`` is how many; what lasts lasts ``seconds``.
    """

    fault: Fault
    at: float = 0.0
    every: float = 0.0
    seconds: float = 0.0
    node: str = "any"
    pods: int = 1

    def times(self, until: float) -> Sequence[float]:
        """Return when it strikes, up to ``until``."""
        if not self.every:
            return [self.at] if self.at <= until else []
        return [self.at + self.every * number for number in range(int(max(0.0, until - self.at) / self.every) + 1)]


@dataclass(frozen=True, slots=True)
class Batch:
    """``action`` on all workloads at once, until all are done; of a rollover, when ``overlap`` (0 to 1) is up."""

    action: Action
    overlap: float = 0.3

    def suits(self, kind: Kind) -> bool:
        """Tell whether it is done to workloads of ``kind``."""
        return kind in SUITS[self.action]


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is asked for; what it costs to be there is measured."""

    seconds: float


Curve = tuple[tuple[float, float], ...]
"""Points of time and of actions a second, in order; between two of them the rate changes evenly."""


@dataclass(frozen=True, slots=True)
class Mix:
    """Actions drawn by their ``weights``, for ``seconds`` or until there were ``actions`` of them.

    In a closed loop (``concurrency``) so many are on their way at once; at a ``rate`` each begins when it is due, and
    its latency counts from then, however late it could begin. In the first ``ramp`` seconds the load grows evenly;
    what begins in the first ``warm_up`` seconds does not count.
    """

    weights: Mapping[Action, float]
    seconds: float = 0.0
    actions: int = 0
    concurrency: int = 0
    rate: Curve = ()
    ramp: float = 0.0
    warm_up: float = 0.0
    overlap: float = 0.3
    faults: tuple[PlannedFault, ...] = ()


Phase = Batch | Mix | Rest


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is to happen. ``nodes`` and ``profile`` are of the plane that is started for it.

    ``images`` take turns, ``app:v1``, ``app:v2`` and so on where there are none; ``pod`` is what the pods' spec holds
    besides. ``patience`` bounds each rollout.
    """

    name: str
    workloads: tuple[Workloads, ...]
    phases: tuple[Phase, ...]
    about: str = ""
    seed: int = 1
    nodes: int = 100
    profile: str = "instant"
    images: tuple[str, ...] = ()
    pod: PodSpec = field(default_factory=PodSpec)
    patience: float = PATIENCE_SECONDS
    compress: float = 1.0

    @property
    def pods(self) -> int:
        """How many pods there are once all is made, those of DaemonSets left out."""
        return sum(each.pods for each in self.workloads)

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of the workloads."""
        return frozenset(each.kind for each in self.workloads)

    @property
    def faults(self) -> Sequence[PlannedFault]:
        """The faults of all phases."""
        return [fault for phase in self.phases if isinstance(phase, Mix) for fault in phase.faults]

    @property
    def actions(self) -> frozenset[Action]:
        """What is done in any phase."""
        done: set[Action] = set()
        for phase in self.phases:
            if isinstance(phase, Batch):
                done.add(phase.action)
            elif isinstance(phase, Mix):
                done.update(phase.weights)
        return frozenset(done)

    def compressed(self, factor: float) -> Self:
        """Return the same with everything that is timed ``factor`` times as fast; pods live at their own pace."""
        return replace(self, compress=factor, phases=tuple(_compressed(each, factor) for each in self.phases))


def _compressed(phase: Phase, by: float) -> Phase:
    if isinstance(phase, Rest):
        return Rest(phase.seconds / by)
    if isinstance(phase, Batch):
        return phase
    return replace(
        phase,
        seconds=phase.seconds / by,
        rate=tuple((at / by, rate * by) for at, rate in phase.rate),
        ramp=phase.ramp / by,
        warm_up=phase.warm_up / by,
        faults=tuple(
            replace(each, at=each.at / by, every=each.every / by, seconds=each.seconds / by) for each in phase.faults
        ),
    )


def rollover(deployments: int, replicas: int, overlap: float, *, patience: float = PATIENCE_SECONDS) -> Scenario:
    """Return the scenario of ``load rollover``: so many Deployments created, updated and rolled over.

    Raises ValueError for numbers that make no sense.
    """
    if deployments < 1 or replicas < 1 or not 0 <= overlap <= 1:
        raise ValueError("want at least one deployment of at least one replica, and an overlap from 0 to 1")
    phases = (Batch(Action.CREATE), Batch(Action.ROLLOVER, overlap))
    workloads = (Workloads(DEPLOYMENT, deployments, replicas),)
    return Scenario(f"{deployments}x{replicas}", workloads, phases, patience=patience)
