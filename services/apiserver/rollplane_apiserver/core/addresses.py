"""Addresses and node ports of Services, given on what the cache knows; the commit lets none be given twice."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane.core.v1 import Service
from rollplane_apiserver.core.refusals import addresses_exhausted, addresses_refused
from rollplane_apiserver.core.step import Identifiers
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.kinds import SERVICE, ApiObject
from rollplane_machinery.releases import Release
from rollplane_rules.registry.addresses import Giver, Ranges, claims_of


@dataclass(frozen=True, slots=True)
class Addresses:
    """What one core gives out of ``ranges``."""

    cache: Cache
    identifiers: Identifiers
    ranges: Ranges
    release: Release

    def give(self, obj: ApiObject, old: ApiObject | None = None) -> None:
        """Give ``obj``, judged already, the addresses and ports it needs beside those of ``old``; in place.

        Other kinds need none. Raises AddressesRefusedError for what it may not have, AddressesExhaustedError when there
        is none left: the pipeline asks again with the cache brought up to date.
        """
        if not isinstance(obj, Service):
            return
        own = f"{obj.metadata.namespace}/{obj.metadata.name}"

        def is_free(claim: str) -> bool:
            return self.cache.holder(SERVICE, claim) in (None, own)

        held = frozenset[str]() if old is None else claims_of(old)
        giver = Giver(self.ranges, is_free, self.identifiers.number, held, self.release.ip_families)
        try:
            causes = giver.give(obj)
        except LookupError as exc:
            raise addresses_exhausted(own, str(exc)) from exc
        if causes:
            raise addresses_refused(obj, causes)
