"""Rows: the cells of an object, whether it has ended, and the object."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import orjson

from rollplane_machinery.kinds import Encoded
from rollplane_machinery.pods import FAILED, SUCCEEDED
from rollplane_printing.table import Layout, Row
from rollplane_printing.tables import row_of

_SENTENCES = {SUCCEEDED: "The pod has completed successfully.", FAILED: "The pod failed."}


def _condition(reason: str) -> bytes:
    condition = {"type": "Completed", "status": "True", "reason": reason, "message": _SENTENCES[reason]}
    return b',"conditions":' + orjson.dumps([condition])


_CONDITIONS: Mapping[str, bytes] = MappingProxyType({"": b"", **{each: _condition(each) for each in _SENTENCES}})
"""What a row says of an object that has ended for this reason; of one that has not, nothing."""


def row(layout: Layout, encoded: Encoded, now: float, embedded: bytes) -> bytes:
    """Return the row of an object in JSON, with ages as of ``now``; ``embedded`` is the JSON of what goes with it."""
    return row_json(row_of(layout, encoded.parse(), now), embedded)


def row_json(told: Row, embedded: bytes) -> bytes:
    """Return a row in JSON. Numbers stay numbers, whatever the column says of its type, as in Kubernetes."""
    return b'{"cells":%b%b,"object":%b}' % (orjson.dumps(told.cells), _CONDITIONS[told.completed], embedded)
