"""Defaults of PersistentVolumeClaims, also those inside StatefulSets and ephemeral volumes."""

from __future__ import annotations

from rollplane.core import v1 as core


def default_claim(claim: core.PersistentVolumeClaim) -> None:
    """Fill in ``claim`` in place: a new one is Pending."""
    default_claim_spec(claim.spec)
    if not claim.status.phase:
        claim.status.phase = "Pending"


def default_claim_spec(spec: core.PersistentVolumeClaimSpec) -> None:
    """Fill in a claim's spec in place."""
    if not spec.HasField("volume_mode"):
        spec.volume_mode = "Filesystem"
