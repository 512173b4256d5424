"""The apiserver of an embedded plane: with the REST gateway in its process, so that a request makes no second hop."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from rollplane_apiserver import settings as apiserver
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.doors import Door, OpenDoor, Premises
from rollplane_apiserver.main import serve
from rollplane_gateway.opening import open_gateway
from rollplane_service.process import run_process
from rollplane_service.settings import Flag, read_arguments

NAME = "rollplane_apiserver"
_CALLER = Identity("gateway", Role.EDITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(apiserver.Settings):
    """Those of the apiserver, and ``rest_listen``, where the gateway serves."""

    rest_listen: str = "127.0.0.1:7080"


FLAGS = (Flag("rest_listen", "ADDRESS", "host:port to serve the Kubernetes REST API on"), *apiserver.FLAGS)


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(Settings, NAME, "The API server of an embedded plane.", FLAGS, arguments, os.environ)
    return run_process(NAME, settings, lambda process: serve(settings, process, [_gateway(settings)]))


def _gateway(settings: Settings) -> OpenDoor:
    def open_door(premises: Premises) -> AbstractAsyncContextManager[Door]:
        return open_gateway(
            premises.core.as_identity(_CALLER),
            settings.rest_listen,
            clock=premises.clock,
            release=settings.release,
            health=premises.health,
            registry=premises.registry,
        )

    return open_door
