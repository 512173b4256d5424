"""The Lua scripts that lie beside this module."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the hash by which a server knows it once loaded."""

    source: bytes
    sha: bytes


def load(name: str) -> Script:
    """Return the script ``name`` from the package's data."""
    source = resources.files(__package__).joinpath(f"{name}.lua").read_bytes()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
