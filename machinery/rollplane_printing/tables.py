"""The table of any kind."""

from __future__ import annotations

from collections.abc import Iterable

from rollplane.autoscaling.v1 import Scale
from rollplane.core.v1 import Pod
from rollplane_machinery.kinds import POD, ApiObject, Kind
from rollplane_machinery.pods import is_pod_finished
from rollplane_machinery.releases import LATEST, Release
from rollplane_printing.table import Layout, Row, Table
from rollplane_printing.workloads import POD_WITH_PLAIN_RESTARTS, WORKLOADS


def layout_of(kind: Kind, release: Release = LATEST) -> Layout:
    """Return how ``release`` shows objects of ``kind``."""
    if kind is POD and not release.restart_ages:
        return POD_WITH_PLAIN_RESTARTS
    return WORKLOADS.get(kind) or _further(kind)


def _further(kind: Kind) -> Layout:
    """Loaded here: most tables are of workloads and pods."""
    from rollplane_printing.custom import custom_layout
    from rollplane_printing.others import OTHERS
    from rollplane_printing.stored import PLAIN, STORED

    return OTHERS.get(kind) or STORED.get(kind) or custom_layout(kind) or PLAIN


def table_of(kind: Kind, objects: Iterable[ApiObject], now: float) -> Table:
    """Return the table of ``objects``, all of ``kind``, with ages as of ``now`` (seconds since the epoch)."""
    layout = layout_of(kind)
    return Table(layout.columns, tuple([row_of(layout, each, now) for each in objects]))


def row_of(layout: Layout, message: ApiObject | Scale, now: float) -> Row:
    """Return one object's row in ``layout``."""
    completed = message.status.phase if isinstance(message, Pod) and is_pod_finished(message) else ""
    return Row(tuple(layout.cells(message, now)), message, completed)
