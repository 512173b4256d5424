"""Manifests as people have them: files of their own, output of Helm and Kustomize, exports of a running cluster.

What a server made is taken off an export, and what controllers made is left out, for they make it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from rollplane.core.v1 import Node
from rollplane_machinery.codec import Manifest, load_manifests, read_manifests
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import kind_of

SERVER_MADE = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generateName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Members of metadata that only a server writes; an export shows them."""
SERVER_NOTES = (
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/selected-node",
    "volume.kubernetes.io/storage-provisioner",
)
"""Annotations that controllers and kubectl write."""
MADE_AGAIN = frozenset({"ControllerRevision", "Endpoints", "EndpointSlice", "Event", "Lease"})
"""Kinds that only controllers write."""
FURNISHED = frozenset({("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default"), ("Service", "kubernetes")})
"""Objects that every cluster puts there by itself."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What files hold: ``manifests`` to apply, ``nodes`` of the cluster, and ``left_out``, sentences for people."""

    manifests: tuple[Manifest, ...] = ()
    nodes: tuple[Node, ...] = ()
    left_out: tuple[str, ...] = ()


def read_exported(texts: Iterable[tuple[str, str | bytes]], namespace: str = "default") -> Exported:
    """Return what ``texts``, each with the name of its source, hold, ready to be applied.

    Fields that the release does not know are left out, as a server of that release would; kinds that are not known, and
    what controllers will make again, too, and it is told. Raises BadRequestError with everything else that is wrong.
    """
    found: list[Manifest] = []
    left_out: list[str] = []
    wrong: list[str] = []
    for source, text in texts:
        loaded = read_manifests(text, source, strict=False)
        found += loaded.manifests
        for problem in loaded.problems:
            (left_out if problem.is_unknown_kind else wrong).append(f"{source}: {problem}")
    if wrong:
        raise BadRequestError("; ".join(wrong))
    owners = {manifest.object.metadata.uid for manifest in found if manifest.object.metadata.uid}
    kept = [manifest for manifest in found if not _is_made_again(manifest, owners)]
    nodes = tuple(each.object for each in kept if isinstance(each.object, Node))
    stripped = (_stripped(each, namespace) for each in kept if not isinstance(each.object, Node))
    if dropped := len(found) - len(kept):
        left_out.append(f"{dropped} objects that controllers make again")
    return Exported(tuple(stripped), nodes, tuple(left_out))


def _is_made_again(manifest: Manifest, owners: Set[str]) -> bool:
    written = manifest.written
    metadata = manifest.object.metadata
    kind = str(written.get("kind"))
    if kind in MADE_AGAIN or (kind, metadata.name) in FURNISHED:
        return True
    if kind == "Secret" and written.get("type") == "kubernetes.io/service-account-token":
        return True
    controller = next((each for each in metadata.owner_references if each.controller), None)
    # One whose controller is no part of the export would be missed: a DaemonSet's pods without the DaemonSet are none.
    return controller is not None and (controller.uid in owners or kind in ("Pod", "ReplicaSet"))


def _stripped(manifest: Manifest, namespace: str) -> Manifest:
    """Return the manifest as its author would have written it."""
    written: dict[str, Any] = {key: value for key, value in manifest.written.items() if key != "status"}
    metadata = dict(written.get("metadata") or {})
    for name in SERVER_MADE:
        if name != "generateName" or "name" in metadata:
            metadata.pop(name, None)
    if notes := {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in SERVER_NOTES}:
        metadata["annotations"] = notes
    else:
        metadata.pop("annotations", None)
    metadata.pop("ownerReferences", None)  # they name uids of another cluster, which nobody bears here
    if isinstance(written.get("spec"), Mapping):
        written["spec"] = _spec(str(written["kind"]), written["spec"])
    _mend_pods_to_come(written)
    written["metadata"] = metadata
    (read,) = load_manifests(json.dumps(written), manifest.source, strict=False)
    if kind_of(read.object).namespaced and not read.object.metadata.namespace:
        read.object.metadata.namespace = namespace
    return read


def _spec(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec without what a server put into it when the object was made or placed."""
    made = {
        "Pod": ("nodeName", "nominatedNodeName", "priority"),
        "Service": () if spec.get("clusterIP") == "None" else ("clusterIP", "clusterIPs"),
        "PersistentVolumeClaim": ("volumeName",),
        "Namespace": ("finalizers",),
    }.get(kind, ())
    return {name: value for name, value in spec.items() if name not in made}


def _mend_pods_to_come(written: dict[str, Any]) -> None:
    """Take the volume and mount of the token that older servers put into pods."""
    if written.get("kind") != "Pod" or not isinstance(spec := written.get("spec"), dict):
        return
    volumes: Sequence[Mapping[str, Any]] = spec.get("volumes") or ()
    tokens = {each.get("name") for each in volumes if str(each.get("name", "")).startswith("kube-api-access-")}
    if tokens:
        spec["volumes"] = [each for each in volumes if each.get("name") not in tokens]
        for container in spec.get("containers") or ():
            mounts = container.get("volumeMounts") or ()
            container["volumeMounts"] = [each for each in mounts if each.get("name") not in tokens]
