"""Tables of pages, of single objects and of the events of a watch, as the bytes of an answer."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from rollplane.autoscaling.v1 import Scale
from rollplane_gateway.slices import in_slices
from rollplane_gateway.tables.columns import NO_COLUMNS, column_definitions
from rollplane_gateway.tables.form import TableForm
from rollplane_gateway.tables.rows import row, row_json
from rollplane_machinery.api import Page
from rollplane_machinery.kinds import Encoded, Kind
from rollplane_printing.others import SCALE
from rollplane_printing.tables import row_of


async def page_table(kind: Kind, page: Page, form: TableForm, now: float) -> bytes:
    """Return the Table of ``page``, all of ``kind``, with ages as of ``now`` (seconds since the epoch)."""
    layout = form.layout_of(kind)
    rows = await in_slices(lambda each: row(layout, each, now, form.embed(each)), page.objects)
    return _table(form, _list_meta(page), column_definitions(layout), rows)


def object_table(encoded: Encoded, form: TableForm, now: float, *, with_columns: bool = True) -> bytes:
    """Return the Table of one object, as a GET or one event of a watch shows it.

    The events of a watch but the first leave the columns out.
    """
    layout = form.layout_of(encoded.kind)
    columns = column_definitions(layout) if with_columns else NO_COLUMNS
    message = encoded.parse()
    rows = [row_json(row_of(layout, message, now), form.embed(encoded))]
    return _table(form, _object_meta(message.metadata.resource_version), columns, rows)


def scale_table(scale: Scale, form: TableForm, now: float, embedded: bytes) -> bytes:
    """Return the Table of the subresource scale; ``embedded`` is the JSON of what goes with its row."""
    rows = [row_json(row_of(SCALE, scale, now), embedded)]
    return _table(form, _object_meta(scale.metadata.resource_version), column_definitions(SCALE), rows)


def _table(form: TableForm, metadata: dict[str, str | int], columns: bytes, rows: Iterable[bytes]) -> bytes:
    return b'{"kind":"Table","apiVersion":"%b","metadata":%b,"columnDefinitions":%b,"rows":[%b]}\n' % (
        form.api_version.encode(),
        orjson.dumps(metadata),
        columns,
        b",".join(rows),
    )


def _object_meta(resource_version: str) -> dict[str, str | int]:
    return {"resourceVersion": resource_version} if resource_version else {}


def _list_meta(page: Page) -> dict[str, str | int]:
    metadata: dict[str, str | int] = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
    if page.remaining_item_count:
        metadata["remainingItemCount"] = page.remaining_item_count
    return metadata
