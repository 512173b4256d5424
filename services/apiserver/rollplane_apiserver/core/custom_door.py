"""Custom kinds at the door: whatever a caller names is found among the definitions, or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.freshness import Freshness
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    Evict,
    Key,
    Patch,
    Unreadable,
    Update,
    UpdateStatus,
    WatchFilter,
    Write,
)
from rollplane_machinery.errors import BadRequestError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import ANY_CUSTOM, CustomKind, Encoded, Kind, by_resource

_IS_CUSTOM: Mapping[type, Callable[[Any], bool]] = {
    **dict.fromkeys((Create, Update, UpdateStatus), attrgetter("object.kind.is_custom")),
    **dict.fromkeys((Patch, Delete, Bind, Evict), attrgetter("key.kind.is_custom")),
    Unreadable: lambda _: False,
}
"""Every write is asked, so it is looked up by its type; the key of an object is not read for it."""


def names_custom(write: Write | Unreadable) -> bool:
    """Return whether ``write`` is of a custom kind, before anything of it is read."""
    return _IS_CUSTOM[type(write)](write)


@dataclass(frozen=True, slots=True)
class CustomDoor:
    """The definitions of one core. What its cache does not know is looked for again once the cache is up to date."""

    cache: Cache
    freshness: Freshness

    async def kind(self, kind: Kind) -> Kind:
        """Return ``kind`` as its definition has it now; raises NotFoundError when it is not served."""
        if not kind.is_custom or kind == ANY_CUSTOM:
            return kind
        if (found := self.find(kind)) is None:
            await self.freshness.current()
            found = self.find(kind)
        if found is None:
            raise NotFoundError("the server could not find the requested resource", resource=kind.resource)
        return found

    async def key(self, key: Key) -> Key:
        """Return ``key`` with its kind as its definition has it now; raises NotFoundError."""
        return Key(await self.kind(key.kind), key.namespace, key.name) if key.kind.is_custom else key

    async def filters(self, filters: Sequence[WatchFilter]) -> tuple[WatchFilter, ...]:
        """Return ``filters`` with their kinds as their definitions have them now; raises NotFoundError.

        A watch is of objects, whatever version shows them, and goes on when one is no longer served.
        """
        return tuple([replace(each, kind=await self._watched(each.kind)) for each in filters])

    async def write(self, write: Write) -> Write:
        """Return ``write`` with its kind as its definition has it now.

        Raises NotFoundError, or BadRequestError for an object of a type that nobody knows.
        """
        if isinstance(write, Create | Update | UpdateStatus):
            return replace(write, object=await self._object(write.object)) if write.object.kind.is_custom else write
        return replace(write, key=await self.key(write.key)) if write.key.kind.is_custom else write

    async def writes(self, writes: Sequence[Write | Unreadable]) -> list[Write | Unreadable]:
        """Return each of ``writes`` as ``write`` does, with what refuses it in its place."""
        return [await self._write_or_refusal(write) for write in writes]

    def find(self, kind: Kind) -> CustomKind | None:
        """Return ``kind`` as the cache knows it: in the version it names, or, where it names none, the stored one."""
        custom = self.cache.custom(kind)
        if custom is None or not custom.is_established:
            return None
        found = custom.versions.get(kind.version or custom.stored.version)
        return found if found is not None and (not kind.version or found.described.is_served) else None

    async def _watched(self, kind: Kind) -> Kind:
        return await self.kind(by_resource(kind.resource)) if kind.is_custom else kind

    async def _write_or_refusal(self, write: Write | Unreadable) -> Write | Unreadable:
        if isinstance(write, Unreadable):
            return write
        try:
            return await self.write(write)
        except RollplaneError as exc:
            return Unreadable(exc, write.group)

    async def _object(self, encoded: Encoded) -> Encoded:
        """An object says its type, which decides: where such things are kept is not for clients to say."""
        named = (encoded.kind.api_version, encoded.kind.name)
        if (found := self.cache.customs.by_type.get(named)) is None:
            await self.freshness.current()
            found = self.cache.customs.by_type.get(named)
        if found is None:
            raise BadRequestError(f'no matches for kind "{named[1]}" in version "{named[0]}"')
        return Encoded(found, encoded.value)
