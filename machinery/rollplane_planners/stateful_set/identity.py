"""What makes a pod this ordinal's pod: its name, its labels, its host name and its claims (section 2)."""

from __future__ import annotations

import re

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import Pod, PodTemplateSpec
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners.claims import Owner
from rollplane_planners.stateful_set.volumes import set_claims

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-(0|[1-9][0-9]*)")


def pod_name(stateful_set: StatefulSet, ordinal: int) -> str:
    """Return the name of an ordinal's pod."""
    return f"{stateful_set.metadata.name}-{ordinal}"


def ordinal_of(stateful_set: StatefulSet, name: str) -> int | None:
    """Return the ordinal in a pod's name, None when the pod is no member of this set by its name."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] != stateful_set.metadata.name:
        return None
    return int(found[2])


def new_pod(
    stateful_set: StatefulSet,
    template: PodTemplateSpec,
    revision: str,
    ordinal: int,
    owner: Owner,
    release: Release = LATEST,
) -> Pod:
    """Return the pod of ``ordinal`` as ``template`` makes it, labelled with the revision's name."""
    pod = Pod(spec=template.spec)
    metadata = pod.metadata
    metadata.name, metadata.namespace = pod_name(stateful_set, ordinal), stateful_set.metadata.namespace
    metadata.labels.update(template.metadata.labels)
    metadata.annotations.update(template.metadata.annotations)
    metadata.finalizers.extend(template.metadata.finalizers)
    metadata.owner_references.append(owner.reference())
    metadata.labels[REVISION_LABEL] = revision
    pod.spec.hostname = metadata.name
    if stateful_set.spec.service_name:
        pod.spec.subdomain = stateful_set.spec.service_name
    else:
        pod.spec.ClearField("subdomain")
    restore_identity(stateful_set, pod, ordinal, release)
    set_claims(stateful_set, pod, ordinal)
    return pod


def restore_identity(stateful_set: StatefulSet, pod: Pod, ordinal: int, release: Release = LATEST) -> None:
    """Put the labels that tell the pod's identity back, in place."""
    pod.metadata.labels[POD_NAME_LABEL] = pod_name(stateful_set, ordinal)
    if release.pod_index_label:
        pod.metadata.labels[POD_INDEX_LABEL] = str(ordinal)


def has_identity(stateful_set: StatefulSet, pod: Pod, ordinal: int) -> bool:
    """Tell whether an existing pod still carries the name it is found by."""
    return pod.metadata.labels.get(POD_NAME_LABEL) == pod_name(stateful_set, ordinal)
