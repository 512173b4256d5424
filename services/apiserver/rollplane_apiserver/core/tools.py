"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer, store_key
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import NODE
from rollplane_machinery.releases import Release
from rollplane_rules.registry.binding import copy_topology


@dataclass(frozen=True, slots=True)
class Tools:
    """One core's; ``release`` is the Kubernetes it behaves as."""

    identifiers: Identifiers
    judge: Judge
    writer: Writer
    cache: Cache
    release: Release

    def place(self, pod: Pod) -> None:
        """Give a pod that has a node, in place, what it gets from there: zone and region, by release."""
        if not self.release.topology_labels or not pod.spec.node_name:
            return
        node = self.cache.entry(NODE, store_key(Key(NODE, "", pod.spec.node_name)))
        if node is not None:
            copy_topology(pod, node.encoded.parse().metadata.labels)
