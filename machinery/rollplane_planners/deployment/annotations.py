"""The annotations a Deployment and its ReplicaSets speak through (docs/semantics/deployment.md section 2)."""

from __future__ import annotations

from rollplane_machinery.extensions import OWN

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
ROLLBACK_TO = "deprecated.deployment.rollback.rollbackTo"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
HASH_LABEL = "pod-template-hash"

HISTORY_LIMIT = 2000
"""Characters kept of a ReplicaSet's list of former revisions; the oldest go first."""

SKIPPED = frozenset({REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO, LAST_APPLIED}) | OWN
"""Never copied between a Deployment and its ReplicaSets, in either direction."""


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
