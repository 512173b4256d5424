"""Whole planes in virtual time: what a rollout will do, minutes of it in a moment, and the same each time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollplane_rehearsal.plane import Plane
    from rollplane_rehearsal.virtual_time import VirtualTimeLoop, in_virtual_time, run

__all__ = ["Plane", "VirtualTimeLoop", "in_virtual_time", "run"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: the command line looks in here for each of its commands."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'plane' if name == 'Plane' else 'virtual_time'}"), name)
