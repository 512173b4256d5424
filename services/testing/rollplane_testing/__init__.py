"""Planes for tests: in the test's own process and virtual time, or served to whoever speaks REST or gRPC."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollplane_testing.living import TestPlane
    from rollplane_testing.options import Options
    from rollplane_testing.place import CommandFailedError, Place
    from rollplane_testing.server import Server
    from rollplane_testing.unit import RollplaneServerTestCase, RollplaneTestCase

__all__ = [
    "CommandFailedError",
    "Options",
    "Place",
    "RollplaneServerTestCase",
    "RollplaneTestCase",
    "Server",
    "TestPlane",
]

_MODULES = {
    "CommandFailedError": "place",
    "Options": "options",
    "Place": "place",
    "RollplaneServerTestCase": "unit",
    "RollplaneTestCase": "unit",
    "Server": "server",
    "TestPlane": "living",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: pytest loads the plugin in everybody's runs."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
