"""Whole planes in virtual time: what a rollout will do, minutes of it in a moment, and the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollplane_rehearsal.plane import Plane
    from rollplane_rehearsal.virtual_time import VirtualTimeLoop, in_virtual_time, run

__all__ = ["Plane", "VirtualTimeLoop", "in_virtual_time", "run"]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is: the command line looks in here for each of its commands."""
    if name == "Plane":
        from rollplane_rehearsal import plane as module
    elif name in __all__:
        from rollplane_rehearsal import virtual_time as module
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)
