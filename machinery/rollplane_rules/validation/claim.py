"""PersistentVolumeClaims."""

from __future__ import annotations

from rollplane.core import v1 as core
from rollplane_machinery import names
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import forbidden, not_supported, problems, required, under
from rollplane_rules.validation.labels import check_label_selector
from rollplane_rules.validation.resources import check_positive

_ACCESS_MODES = frozenset({"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"})
_VOLUME_MODES = frozenset({"Filesystem", "Block"})


def check_claim(claim: core.PersistentVolumeClaim) -> list[Cause]:
    """Return what is wrong with a claim, metadata aside."""
    return under("spec", check_claim_spec(claim.spec))


def check_claim_spec(spec: core.PersistentVolumeClaimSpec) -> list[Cause]:
    """Return what is wrong with a claim's spec."""
    found = _check_access_modes(spec)
    if spec.HasField("selector"):
        found += under("selector", check_label_selector(spec.selector))
    if "storage" not in spec.resources.requests:
        found.append(required("resources[storage]", "request an amount of storage"))
    else:
        found += check_positive("resources", "storage", spec.resources.requests["storage"])
    if spec.storage_class_name:
        found += problems(
            "storageClassName", spec.storage_class_name, names.check_dns1123_subdomain(spec.storage_class_name)
        )
    if spec.HasField("volume_mode") and spec.volume_mode not in _VOLUME_MODES:
        found.append(not_supported("volumeMode", spec.volume_mode, _VOLUME_MODES))
    return found


def _check_access_modes(spec: core.PersistentVolumeClaimSpec) -> list[Cause]:
    if not spec.access_modes:
        return [required("accessModes", "give at least one")]
    unknown = [mode for mode in spec.access_modes if mode not in _ACCESS_MODES]
    found = [not_supported("accessModes", mode, _ACCESS_MODES) for mode in unknown]
    if "ReadWriteOncePod" in spec.access_modes and len(set(spec.access_modes)) > 1:
        found.append(forbidden("accessModes", "ReadWriteOncePod stands alone"))
    return found


def check_claim_update(new: core.PersistentVolumeClaim, old: core.PersistentVolumeClaim) -> list[Cause]:
    """Return what an update changes that it may not: all but the request, the class of attributes and the binding."""
    before, after = core.PersistentVolumeClaimSpec(), core.PersistentVolumeClaimSpec()
    before.CopyFrom(old.spec)
    after.CopyFrom(new.spec)
    for spec in (before, after):
        spec.resources.ClearField("requests")
        spec.ClearField("volume_attributes_class_name")
        if not old.spec.volume_name:
            spec.ClearField("volume_name")
    if semantic_equal(before, after):
        return []
    return [forbidden("spec", "it is immutable but for resources.requests of a bound claim: keep the rest")]
