"""How far the rollouts of a plane are, kept up to date by its log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rollplane.apps.v1 import DaemonSet
from rollplane_apiserver.rollout.progress import look_at
from rollplane_machinery.api import EventType, RolloutState
from rollplane_machinery.kinds import DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from rollplane_rehearsal.event_log import EventLog, Logged
from rollplane_rehearsal.rollouts import Workload, has_rollout, name_of
from rollplane_rehearsal.virtual_time import set_within

_KINDS = frozenset({DEPLOYMENT, STATEFUL_SET, DAEMON_SET})

Told = Callable[[float, int, int], None]
"""Hears how far a rehearsal is: the virtual seconds, how many pods are of the wanted revision, how many are wanted."""


def nobody(_seconds: float, _updated: int, _wanted: int) -> None:
    """Tell nobody."""


class Rollouts:
    """The state of every rollout by ``kind/namespace/name``, and since when it is done (seconds of the loop)."""

    def __init__(self, log: EventLog) -> None:
        self.states: dict[str, RolloutState] = {}
        self.generations: dict[str, int] = {}
        self.done_at: dict[str, float] = {}
        self._updated: dict[str, tuple[int, int]] = {}
        self._moved = asyncio.Event()
        log.listen(self._take)

    def _take(self, change: Logged) -> None:
        if change.object.kind not in _KINDS or not isinstance(workload := change.object.parse(), Workload):
            return
        name = name_of(workload)
        if change.type is EventType.DELETED or not has_rollout(workload):
            self.states.pop(name, None)
            self._updated.pop(name, None)
        else:
            self._note(name, look_at(workload).state, change.at)
            self.generations[name] = workload.metadata.generation
            self._updated[name] = _updated(workload)
        self._moved.set()

    def _note(self, name: str, state: RolloutState, at: float) -> None:
        if state is not RolloutState.DONE:
            self.done_at.pop(name, None)
        elif self.states.get(name) is not RolloutState.DONE:
            self.done_at[name] = at
        self.states[name] = state

    @property
    def are_over(self) -> bool:
        """Whether each is done, or has given up."""
        return all(state is not RolloutState.PROGRESSING for state in self.states.values())

    @property
    def are_done(self) -> bool:
        return all(state is RolloutState.DONE for state in self.states.values())

    @property
    def updated(self) -> tuple[int, int]:
        """How many pods are of the wanted revision, and how many are wanted, of all together."""
        return sum(each for each, _ in self._updated.values()), sum(each for _, each in self._updated.values())

    async def moved(self, seconds: float) -> None:
        """Wait until a workload changes, for ``seconds`` at most; not at all if one did since the last time."""
        await set_within(self._moved, seconds)
        self._moved.clear()


def _updated(workload: Workload) -> tuple[int, int]:
    if isinstance(workload, DaemonSet):
        return workload.status.updated_number_scheduled, workload.status.desired_number_scheduled
    return workload.status.updated_replicas, workload.spec.replicas
