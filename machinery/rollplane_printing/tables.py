"""The table of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rollplane.core.v1 import Pod
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_machinery.pods import is_pod_finished
from rollplane_printing.others import OTHERS
from rollplane_printing.table import Layout, Row, Table
from rollplane_printing.workloads import WORKLOADS

LAYOUTS: Mapping[Kind, Layout] = MappingProxyType({**WORKLOADS, **OTHERS})
"""How each registered kind is shown."""


def table_of(kind: Kind, objects: Iterable[ApiObject], now: float) -> Table:
    """Return the table of ``objects``, all of ``kind``, with ages as of ``now`` (seconds since the epoch)."""
    return Table(LAYOUTS[kind].columns, tuple([row_of(kind, each, now) for each in objects]))


def row_of(kind: Kind, message: ApiObject, now: float) -> Row:
    """Return one object's row."""
    completed = message.status.phase if isinstance(message, Pod) and is_pod_finished(message) else ""
    return Row(tuple(LAYOUTS[kind].cells(message, now)), message, completed)
