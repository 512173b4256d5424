"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_apiserver.core.addresses import Addresses
from rollplane_apiserver.core.admission import Admission
from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer
from rollplane_apiserver.watch.cache import Cache
from rollplane_machinery.releases import Release


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
