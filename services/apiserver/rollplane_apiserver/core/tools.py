"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_apiserver.core.addresses import Addresses
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer, store_key
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import NAMESPACE, NODE, SERVICE_ACCOUNT
from rollplane_machinery.releases import Release
from rollplane_rules.registry.binding import copy_topology
from rollplane_rules.registry.namespaces import is_sealed


@dataclass(frozen=True, slots=True)
class Tools:
    """One core's; ``release`` is the Kubernetes it behaves as."""

    identifiers: Identifiers
    judge: Judge
    writer: Writer
    cache: Cache
    addresses: Addresses
    release: Release

    def misses_account(self, namespace: str, name: str) -> bool:
        """Tell whether the cache knows no such ServiceAccount, in a namespace that takes pods.

        Of one that does not, the commit tells.
        """
        if self._cached(Key(SERVICE_ACCOUNT, namespace, name)) is not None:
            return False
        space = self._cached(Key(NAMESPACE, "", namespace))
        return space is not None and not is_sealed(space.encoded.parse())

    def _cached(self, key: Key) -> Entry | None:
        return self.cache.entry(key.kind, store_key(key))

    def place(self, pod: Pod) -> None:
        """Give a pod that has a node, in place, what it gets from there: zone and region, by release."""
        if not self.release.topology_labels or not pod.spec.node_name:
            return
        node = self._cached(Key(NODE, "", pod.spec.node_name))
        if node is not None:
            copy_topology(pod, node.encoded.parse().metadata.labels)
