"""What a handler is given, and what a handler is: the seam at which the gateway's parts are plugged in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rollplane_client.tokens import Tokens
from rollplane_gateway.catalogue import Catalogue
from rollplane_gateway.rendering import Renderer
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_gateway.targets import Target
from rollplane_gateway.watching.watches import Watches
from rollplane_machinery.api import Api
from rollplane_machinery.clock import Clock
from rollplane_machinery.releases import Release
from rollplane_machinery.served import Served


@dataclass(frozen=True, slots=True)
class Backend:
    """What handlers work with; one for the gateway's life."""

    api: Api
    clock: Clock
    release: Release
    catalogue: Catalogue
    tokens: Tokens
    renderer: Renderer
    watches: Watches

    @property
    def served(self) -> Served:
        """What is served, as last asked for."""
        return self.catalogue.served


@dataclass(frozen=True, slots=True)
class Call:
    """One request about something served."""

    backend: Backend
    request: Request
    target: Target


Handler = Callable[[Call], Awaitable[Answer]]
"""Answers one verb. Raises RollplaneError or RefusedError, which are told as Status."""

Page = Callable[[Backend, Request], Awaitable[Answer]]
"""Answers a path that names no resource, such as ``/version``."""
