"""Whole planes in virtual time: what a rollout will do, minutes of it in a moment, and the same each time."""

from __future__ import annotations

from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.virtual_time import VirtualTimeLoop, in_virtual_time, run

__all__ = ["Plane", "VirtualTimeLoop", "in_virtual_time", "run"]
