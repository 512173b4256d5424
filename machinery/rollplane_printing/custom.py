"""Columns of custom kinds, as their definitions name them.

Source: kubernetes/apiextensions-apiserver pkg/registry/customresource/tableconvertor/tableconvertor.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import CustomKind, Kind
from rollplane_printing.durations import age_of_text
from rollplane_printing.table import NAME, Cell, Column, Layout

if TYPE_CHECKING:
    from rollplane_machinery.structural.definition import Version
    from rollplane_machinery.structural.printer_columns import Value


def custom_layout(kind: Kind) -> Layout | None:
    """Return how objects of a custom kind are shown; None for any other, and where no server has told of it."""
    return _layout(kind.definition) if isinstance(kind, CustomKind) and kind.definition is not None else None


@lru_cache(maxsize=1024)
def _layout(version: Version) -> Layout:
    """Paths and the codec are loaded here: most tables are shown without them."""
    from rollplane_machinery.stored import document_of
    from rollplane_machinery.structural.printer_columns import compile_column

    told = [(each, compile_column(each.type, each.json_path)) for each in version.columns]
    readable = [(column, read) for column, read in told if read is not None]
    columns = [
        Column(each.name, each.type, each.format, wide=each.priority > 0, description=each.description)
        for each, _ in readable
    ]

    def cells(obj: StoredObject, now: float) -> Sequence[Cell]:
        document = document_of(obj)
        values = [(each.type, read(document)) for each, read in readable]
        return [obj.metadata.name, *(_cell(type_, value, now) for type_, value in values)]

    return Layout((NAME, *columns), cells)


def _cell(type_: str, value: Value, now: float) -> Cell:
    return age_of_text(value, now) if type_ == "date" and isinstance(value, str) else value
