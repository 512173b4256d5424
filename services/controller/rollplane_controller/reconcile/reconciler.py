"""What a reconciler is to the loop that runs it: who wakes it, what it plans, and what it hears of the answers.

The loop owns all else: queue, gates, fences, live looks, back-off, writes, events, counts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import Answer
from rollplane_client.work_queue import DEFAULT_BACKOFF
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_machinery.api import Key, Write
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Kind
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.model import Plan

Wake = Callable[[Key], None]
Look = Callable[[], Coroutine[Any, Any, Plan]]
"""A plan that has to ask the Api first; the loop calls it when there is room, and gives it so many seconds."""
Source = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A write of a key's last plan, and what refused it."""

    write: Write
    error: RollplaneError


@dataclass(frozen=True, slots=True)
class Pace:
    """``round`` is how many keys are planned in one go: some milliseconds, then the loop is somebody else's.

    ``backoff`` is that of a key that fails. At most ``looks`` Looks run at a time, each for ``look_seconds``.
    """

    round: int = 64
    backoff: Backoff = DEFAULT_BACKOFF
    looks: int = 16
    look_seconds: float = 30.0


DEFAULT_PACE = Pace()


class Reconciler(ABC):
    """The rules of one kind of work; keys in, a Plan out.

    Level-based: ``plan`` may be asked at any moment and any number of times, and changes nothing that counts. What
    must be counted is counted in ``answered``. All keys belong to ``shard``, or, where that is "", each to the shard
    of its namespace.
    """

    kind: Kind
    shard = ""
    pace = DEFAULT_PACE

    def __init__(self, observer: Observer, release: Release = LATEST) -> None:
        self._observer = observer
        self._release = release

    @property
    def name(self) -> str:
        """The controller's name, one of its own: it signs writes, and labels what is counted."""
        return f"{self.kind.singular}-controller"

    @property
    def component(self) -> str:
        """Who tells its events."""
        return self.name

    @property
    def sources(self) -> Sequence[Source]:
        """What runs beside the loop and wakes keys of itself, as long as the loop does."""
        return ()

    @abstractmethod
    def attach(self, wake: Wake) -> None:
        """Register handlers that wake the keys an event concerns; called once, before the informer runs."""

    def all_keys(self) -> Iterable[Key]:
        """Yield all keys that there may be something to do for, as when a shard has been acquired."""
        yield from (key for key, _ in self._observer.informer.items(self.kind))

    def urgency(self, _key: Key) -> int:
        """Return how urgent a key is that is added: the more urgent are planned first. It must be known at once."""
        return 0

    @abstractmethod
    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        """Return the plan for ``key`` as observed now; ``failure`` is what became of its last one, if it failed.

        Raises TerminalError when trying again cannot help before the object changes. Whatever else it raises is tried
        again after the back-off.
        """

    def answered(  # noqa: B027 - most need not hear it
        self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]
    ) -> None:
        """Hear what became of ``plan``: its writes as they were ``sent``, and their answers. None may have been."""
