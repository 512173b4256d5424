"""The services that a plane consists of, and what runs each: the imports are here for all to see, import-linter too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

Run = Callable[[Sequence[str]], int]
"""Carries a service out with its command line's arguments, until it is told to stop; returns the exit code."""


class Service(StrEnum):
    """In the order of their start."""

    STORE = "store"
    APISERVER = "apiserver"
    CONTROLLER = "controller"
    KUBELET_SIM = "kubelet_sim"


def load(service: Service) -> Run:
    """Import one service and none of the others, so that a plane's children load side by side; return what runs it."""
    match service:
        case Service.STORE:
            from rollplane_apiserver.store import __main__ as store

            return store.run
        case Service.APISERVER:
            from rollplane_plane import apiserver

            return apiserver.run
        case Service.CONTROLLER:
            from rollplane_controller import main as controller

            return controller.run
        case Service.KUBELET_SIM:
            from rollplane_kubelet_sim import main as kubelet_sim

            return kubelet_sim.run
