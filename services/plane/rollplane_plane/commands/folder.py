"""The data folder that commands about an embedded plane share."""

from __future__ import annotations

from pathlib import Path

from rollplane_cli.flags import Flags, text

DEFAULT_DATA = ".rollplane"


class DataFlags(Flags):
    """Which plane is meant."""

    data = text(f"Folder that keeps the objects between runs (default {DEFAULT_DATA} here)", default=DEFAULT_DATA)


def folder_of(flags: DataFlags) -> Path:
    """Return the folder as an absolute path."""
    return Path(flags.data).absolute()
