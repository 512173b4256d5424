"""Further ways into a running apiserver, beside its gRPC server: who composes the process brings them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry

from rollplane_apiserver.core import Core
from rollplane_machinery.clock import Clock
from rollplane_service.health import Health


@dataclass(frozen=True, slots=True)
class Premises:
    """What a door leads to, and where it tells how it fares."""

    core: Core
    clock: Clock
    health: Health
    registry: CollectorRegistry


class Door(Protocol):
    """One that is open."""

    @property
    def words(self) -> str:
        """What the ready line says of it, ``name=value``."""
        ...

    async def drain(self, grace_seconds: float) -> None:
        """Let nobody more in, and those inside finish; blocks for at most ``grace_seconds``."""
        ...


OpenDoor = Callable[[Premises], AbstractAsyncContextManager[Door]]
"""Opens a door; entered when the core serves, left before it ends. Raises OSError when its address cannot be had."""
