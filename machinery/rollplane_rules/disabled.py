"""Fields that a release does not know: it drops them when an object is written, as an apiserver does whose gate is off.

An update keeps what the stored object has already. Source: kubernetes/kubernetes pkg/api/pod/util.go,
dropDisabledFields; docs/semantics/releases.md.
"""

from __future__ import annotations

from rollplane.core.v1 import PodSpec
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.pod_specs import pod_spec_of
from rollplane_machinery.pod_totals import is_sidecar
from rollplane_machinery.releases import Release

_NONE = PodSpec()


def drop_disabled_fields(new: ApiObject, old: ApiObject | None, release: Release) -> None:
    """Take out of ``new``, in place, what ``release`` does not know and ``old``, if any, does not have."""
    if release.scheduling_gates and release.sidecars:
        return
    located = pod_spec_of(new)
    if located is None:
        return
    former = pod_spec_of(old) if old is not None else None
    before = former.spec if former is not None else _NONE
    if not release.scheduling_gates and not before.scheduling_gates:
        located.spec.ClearField("scheduling_gates")
    if not release.sidecars and not any(map(is_sidecar, before.init_containers)):
        for container in located.spec.init_containers:
            container.ClearField("restart_policy")
