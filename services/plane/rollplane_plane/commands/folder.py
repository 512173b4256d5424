"""The data folder that commands about an embedded plane share."""

from __future__ import annotations

from pathlib import Path

from rollplane_cli.flags import Flags, text
from rollplane_cli.session import Session
from rollplane_machinery.releases import LATEST
from rollplane_service.presence import DEFAULT_DATA


class ReleaseFlags(Flags):
    """Which Kubernetes release a plane of the command's own behaves as."""

    kubernetes = text(
        f"Kubernetes release to behave as, 1.20 to {LATEST.name}; else $ROLLPLANE_KUBERNETES, else the newest"
    )


def release_name(flags: ReleaseFlags, session: Session) -> str:
    """Return the release asked for by flag or variable, the newest when none is."""
    return flags.kubernetes or session.environ.get("ROLLPLANE_KUBERNETES", "") or LATEST.name


class DataFlags(Flags):
    """Which plane is meant."""

    data = text(f"Folder that keeps the objects between runs (default {DEFAULT_DATA} here)", default=DEFAULT_DATA)


def folder_of(flags: DataFlags) -> Path:
    """Return the folder as an absolute path."""
    return Path(flags.data).absolute()
