"""The mark of an object that is being deleted."""

from __future__ import annotations

from rollplane.meta.v1 import ObjectMeta


def is_being_deleted(meta: ObjectMeta) -> bool:
    """Return whether a deletion was asked for; Kubernetes may encode "never" as a time without fields."""
    return meta.deletion_timestamp.HasField("seconds")
