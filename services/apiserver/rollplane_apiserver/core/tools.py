"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.addresses import Addresses
from rollplane_apiserver.core.admission import Admission
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.releases import Release
from rollplane_rules.registry.definitions import settle_names


@dataclass(frozen=True, slots=True)
class Tools:
    """One core's; ``release`` is the Kubernetes it behaves as."""

    identifiers: Identifiers
    judge: Judge
    writer: Writer
    cache: Cache
    addresses: Addresses
    admission: Admission
    release: Release

    def settle_names(self, definition: ApiObject, now: float) -> None:
        """Have a CustomResourceDefinition, judged already, say which of its names are free; in place."""
        if isinstance(definition, StoredObject):
            settle_names(definition, self.cache.customs.by_resource.values(), now)
