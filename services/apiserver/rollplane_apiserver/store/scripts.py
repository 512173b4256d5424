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


def load(name: str, *, flags: str = "") -> Script:
    """Return the script ``name`` from the package's data, with ``flags`` added to its first line."""
    source = resources.files(__package__).joinpath(f"{name}.lua").read_bytes()
    if flags:
        source = source.replace(b"#!lua", b"#!lua flags=" + flags.encode(), 1)
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
