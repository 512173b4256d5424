"""``rollout history``: all revisions in a table, or one with its template."""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.api import Revision
from rollplane_machinery.well_known import CHANGE_CAUSE
from rollplane_printing.table import or_none
from rollplane_printing.template_text import template_lines
from rollplane_printing.text_table import aligned

NO_HISTORY = "No rollout history found."


def history_lines(revisions: Sequence[Revision]) -> list[str]:
    """Return the table of ``revisions``, oldest first, and the empty line kubectl ends it with."""
    if not revisions:
        return [NO_HISTORY]
    rows = [("REVISION", "CHANGE-CAUSE"), *((str(each.number), or_none(each.change_cause)) for each in revisions)]
    return [*aligned(rows, gap=2), ""]


def revision_lines(revision: Revision) -> list[str]:
    """Return the template of one revision, its change-cause shown among the annotations."""
    template = PodTemplateSpec()
    template.CopyFrom(revision.template)
    if revision.change_cause:
        template.metadata.annotations[CHANGE_CAUSE] = revision.change_cause
    return template_lines(template)
