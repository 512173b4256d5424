"""A StatefulSet as a release sees it: an apiserver that does not know a field drops it."""

from __future__ import annotations

from rollplane.apps.v1 import StatefulSet
from rollplane_machinery.releases import MaxUnavailable, Release


def known_to(release: Release, stateful_set: StatefulSet) -> StatefulSet:
    """Return ``stateful_set`` without the fields that do nothing in ``release``; itself where there are none."""
    ignores_maximum = release.max_unavailable is MaxUnavailable.IGNORED
    if release.stateful_set_min_ready and release.claim_retention and release.ordinals_start and not ignores_maximum:
        return stateful_set
    known = StatefulSet()
    known.CopyFrom(stateful_set)
    spec = known.spec
    if not release.stateful_set_min_ready:
        spec.ClearField("min_ready_seconds")
        known.status.ClearField("available_replicas")
    if not release.claim_retention:
        spec.ClearField("persistent_volume_claim_retention_policy")
    if not release.ordinals_start:
        spec.ClearField("ordinals")
    if ignores_maximum and spec.update_strategy.HasField("rolling_update"):
        spec.update_strategy.rolling_update.ClearField("max_unavailable")
    return known
