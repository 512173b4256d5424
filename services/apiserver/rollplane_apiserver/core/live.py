"""Reads past the cache: what the store holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rollplane_apiserver.core.step import store_key
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.watch.entry import Entry, entry_of
from rollplane_machinery.api import Key
from rollplane_machinery.kinds import Kind


@dataclass(frozen=True, slots=True)
class LiveReader:
    """Reads objects by key, one question per kind."""

    store: Store

    async def one(self, key: Key) -> Entry | None:
        """Return the object as stored now, None when there is none."""
        return (await self.read([key]))[key]

    async def read(self, keys: Iterable[Key]) -> Mapping[Key, Entry | None]:
        """Return the objects as stored now; raises UnavailableError."""
        by_kind: dict[Kind, dict[Key, str]] = {}
        for key in keys:
            by_kind.setdefault(key.kind, {})[key] = store_key(key)
        found: dict[Key, Entry | None] = {}
        for kind, named in by_kind.items():
            stored = await self.store.read(kind.resource, list(named.values()))
            for key, value in zip(named, stored, strict=True):
                found[key] = entry_of(kind, value.key, value.value, value.revision) if value else None
        return found
