"""Numbers in the annotations of a Deployment and its ReplicaSets (docs/semantics/deployment.md section 2)."""

from __future__ import annotations

HISTORY_LIMIT = 2000
"""Characters kept of a ReplicaSet's list of former revisions; the oldest go first."""


def integer(value: str | None) -> int | None:
    """Return the decimal number in an annotation, None when it is missing or not a number."""
    try:
        return int(value) if value else None
    except ValueError:
        return None


def append_revision(history: str, revision: str) -> str:
    """Return ``history`` with ``revision`` at its end, cut from the front to HISTORY_LIMIT characters."""
    entries = [entry for entry in history.split(",") if entry]
    entries.append(revision)
    while len(",".join(entries)) > HISTORY_LIMIT:
        entries.pop(0)
    return ",".join(entries)
