"""What steps share: where names come from, who judges objects, how they become mutations."""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_apiserver.core.judge import Judge
from rollplane_apiserver.core.step import Identifiers, Writer
from rollplane_apiserver.watch.cache import Cache


@dataclass(frozen=True, slots=True)
class Tools:
    """One core's."""

    identifiers: Identifiers
    judge: Judge
    writer: Writer
    cache: Cache
