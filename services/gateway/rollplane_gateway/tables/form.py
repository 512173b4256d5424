"""What a Table is asked to be: its version, and how much of each object goes with its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.releases import LATEST, Release

TABLE_VERSIONS = ("v1", "v1beta1")
"""Versions of ``meta.k8s.io`` in which Tables are made."""

Embed = Callable[[Encoded], bytes]
"""Returns the JSON of what stands in a row beside the cells."""


class IncludeObject(Enum):
    """How much of its object a row brings: the parameter ``includeObject``."""

    NONE = "None"
    METADATA = "Metadata"
    OBJECT = "Object"


def include_object_of(text: str) -> IncludeObject:
    """Return what ``text`` says, the metadata for an empty one; raises BadRequestError for an unknown word."""
    try:
        return IncludeObject(text) if text else IncludeObject.METADATA
    except ValueError:
        raise BadRequestError(f'unrecognized includeObject value: "{text}"') from None


def embed_nothing(_: Encoded) -> bytes:
    """Embed no object."""
    return b"null"


@dataclass(frozen=True, slots=True)
class TableForm:
    """A Table of ``meta.k8s.io/<version>`` with the columns of ``release`` and, in each row, what ``embed`` returns."""

    embed: Embed
    version: str = "v1"
    release: Release = LATEST

    @property
    def api_version(self) -> str:
        return f"meta.k8s.io/{self.version}"
