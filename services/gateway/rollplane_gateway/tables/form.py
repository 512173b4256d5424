"""What a Table is asked to be: its version, and how much of each object goes with its row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded, Kind
from rollplane_machinery.releases import LATEST, Release
from rollplane_printing.table import Layout
from rollplane_printing.tables import layout_of

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
    """A Table of ``meta.k8s.io/<version>`` with the columns of ``release`` and, in each row, what ``embed`` returns.

    ``layout`` has the columns of a custom kind.
    """

    embed: Embed
    version: str = "v1"
    release: Release = LATEST
    layout: Layout | None = None

    def layout_of(self, kind: Kind) -> Layout:
        """Return the columns of objects of ``kind``."""
        return self.layout or layout_of(kind, self.release)

    @property
    def api_version(self) -> str:
        return f"meta.k8s.io/{self.version}"
