"""What a reconciler is to the shell that runs it: who wakes it, and what it plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rollplane_machinery.api import Key, Write
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Kind
from rollplane_planners.model import Plan

Wake = Callable[[Key], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A write of a key's last plan, and what refused it."""

    write: Write
    error: RollplaneError


class Reconciler(Protocol):
    """The rules of one kind: level-based, so ``plan`` may be asked at any moment, any number of times."""

    kind: Kind

    def attach(self, wake: Wake) -> None:
        """Register handlers that wake the keys an event concerns; called once, before the informer runs."""
        ...

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        """Return the plan for ``key`` as observed now; ``failure`` is what became of its last one, if it failed."""
        ...
