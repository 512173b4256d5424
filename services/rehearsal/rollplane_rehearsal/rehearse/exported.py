"""Manifests as people have them: files of their own, output of Helm and Kustomize, exports of a running cluster.

What a server made is taken off an export, and what controllers made is left out, for they make it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from rollplane.core.v1 import Node
from rollplane_kubelet_sim.node_pools.files import parse_node_file
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_machinery.codec import Manifest, load_manifests, read_manifests, to_json
from rollplane_machinery.codec.objects import KindsByType
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, NAMESPACE, kind_of
from rollplane_machinery.needs import require
from rollplane_rehearsal.manifests import NO_KINDS, defined_in

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


FIRST = (NAMESPACE, CUSTOM_RESOURCE_DEFINITION)
NEEDED_BY_CUSTOMS = ("cel_expr_python", "re2")
"""What checks custom objects, by the names of the modules."""
FEW = 3
"""How many places of one fault are told."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What files hold: ``manifests`` to apply, ``nodes`` of the cluster, and ``left_out``, sentences for people.

    ``customs`` are the kinds that definitions among them make, by apiVersion and kind; ``undefined`` is what
    of it was left out since nothing defines its kind, by what a server would say.
    """

    manifests: tuple[Manifest, ...] = ()
    nodes: tuple[Node, ...] = ()
    left_out: tuple[str, ...] = ()
    customs: KindsByType = field(default_factory=dict)
    undefined: Mapping[str, str] = field(default_factory=dict)

    @property
    def pools(self) -> tuple[NodePool, ...]:
        """The nodes, each a pool of its own; raises InvalidError."""
        documents = ((json.dumps(to_json(node)), f"node {node.metadata.name}") for node in self.nodes)
        return tuple(pool for text, source in documents for pool in parse_node_file(text, source))


def read_exported(
    texts: Iterable[tuple[str, str | bytes]], namespace: str = "default", customs: KindsByType = NO_KINDS
) -> Exported:
    """Return what ``texts``, each with the name of its source, hold, ready to be applied.

    Of custom kinds are those in ``customs`` and those that ``texts`` define. Fields that the release does not know are
    left out, as a server of that release would; kinds that are not known, and what controllers will make again, too,
    and it is told. Raises BadRequestError with everything else that is wrong, SetupError when what
    checks custom kinds is not installed.
    """
    given = list(texts)
    known = {**defined_in(text for _, text in given), **customs}
    if known:
        require(*NEEDED_BY_CUSTOMS, what="whoever has custom kinds")
    found: list[Manifest] = []
    unknown: dict[str, list[str]] = {}
    wrong: list[str] = []
    for source, text in given:
        loaded = read_manifests(text, source, strict=False, customs=known)
        found += loaded.manifests
        for problem in loaded.problems:
            if problem.is_unknown_kind:
                unknown.setdefault(problem.message, []).append(f"{source} line {problem.line}")
            else:
                wrong.append(f"{source}: {problem}")
    if wrong:
        raise BadRequestError("; ".join(wrong))
    owners = {manifest.object.metadata.uid for manifest in found if manifest.object.metadata.uid}
    kept = sorted((each for each in found if not _is_made_again(each, owners)), key=is_needed_by_others)
    nodes = tuple(each.object for each in kept if isinstance(each.object, Node))
    stripped = tuple(_stripped(each, namespace, known) for each in kept if not isinstance(each.object, Node))
    undefined = {message: _undefined(message, places) for message, places in unknown.items()}
    left_out = [*undefined.values()]
    if dropped := len(found) - len(kept):
        left_out.append(f"{dropped} objects that controllers make again")
    return Exported(stripped, nodes, tuple(left_out), known, undefined)


def is_needed_by_others(manifest: Manifest) -> int:
    """Sort what others cannot be without before them: an export has its objects by kind and name."""
    kind = kind_of(manifest.object)
    return FIRST.index(kind) if kind in FIRST else len(FIRST)


def _undefined(message: str, places: Sequence[str]) -> str:
    """``2 objects: no matches for kind "ServiceMonitor" …, and no CustomResourceDefinition of it is given (…)``."""
    count = "1 object" if len(places) == 1 else f"{len(places)} objects"
    where = ", ".join(places[:FEW]) + (f" and {len(places) - FEW} more" if len(places) > FEW else "")
    return f"{count}: {message}, and nothing given defines it ({where})"


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


def _stripped(manifest: Manifest, namespace: str, customs: KindsByType) -> Manifest:
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
    if kind_of(manifest.object).namespaced and not metadata.get("namespace"):
        metadata["namespace"] = namespace
    written["metadata"] = metadata
    (read,) = load_manifests(json.dumps(written), manifest.source, strict=False, customs=customs)
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
