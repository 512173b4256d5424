"""What the command line gets from this room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rollplane_cli.registry import Entry

_HERE = "rollplane_rehearsal.commands"

COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "rehearse": Entry("rehearse:REHEARSE", "Say what a rollout will do, before it is made", _HERE),
        "rehearse compare": Entry("compare:COMPARE", "Say what a rollout would do under other settings", _HERE),
    }
)
"""By the words they are called with; an entry point of the group ``rollplane.commands``."""
