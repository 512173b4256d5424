"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.addresses import Addresses
from rollplane_apiserver.core.admission import Admission
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, ApiObject, Kind
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

    def settle(self, kind: Kind, new: ApiObject, old: ApiObject | None, now: float) -> None:
        """Give ``new``, judged already, what depends on other objects; in place.

        Those are a Service's addresses, and whether the names of a CustomResourceDefinition are free.
        """
        if kind is CUSTOM_RESOURCE_DEFINITION and isinstance(new, StoredObject):
            settle_names(new, self.cache.customs.by_resource.values(), now)
        else:
            self.addresses.give(new, old)
