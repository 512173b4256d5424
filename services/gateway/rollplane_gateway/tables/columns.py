"""Column definitions, rendered once for each layout."""

from __future__ import annotations

from functools import lru_cache

import orjson

from rollplane_printing.table import Column, Layout

NO_COLUMNS = b"null"
"""What stands for the columns where the client knows them from a Table before."""


@lru_cache(maxsize=256)
def column_definitions(layout: Layout) -> bytes:
    """Return the columns of ``layout`` in JSON."""
    return orjson.dumps([_definition(each) for each in layout.columns])


def _definition(column: Column) -> dict[str, str | int]:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }
