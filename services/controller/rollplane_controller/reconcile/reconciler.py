"""What a reconciler is to the shell that runs it: who wakes it, and what it plans."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rollplane_controller.plan.model import Plan
from rollplane_machinery.api import Key
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Kind

Wake = Callable[[Key], None]


class Reconciler(Protocol):
    """The rules of one kind: level-based, so ``plan`` may be asked at any moment, any number of times."""

    kind: Kind

    def attach(self, wake: Wake) -> None:
        """Register handlers that wake the keys an event concerns; called once, before the informer runs."""
        ...

    def plan(self, key: Key, failure: RollplaneError | None, now: float) -> Plan:
        """Return the plan for ``key`` as observed now; ``failure`` is what refused its last writes, if anything did."""
        ...
