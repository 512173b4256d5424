"""What is served by now: what is built in, and the custom kinds that definitions make.

Definitions are asked for when something is looked for that is not known, and whenever discovery or documents are asked
for; a list of them costs next to nothing while none has changed. No task follows them, and nothing is stale for long:
the server behind knows each kind as it is, whatever is thought of it here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import Api, ListQuery
from rollplane_machinery.definitions import Custom, Customs, read_custom
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, Encoded
from rollplane_machinery.releases import Release
from rollplane_machinery.served import Served, served, with_customs


class Catalogue:
    """What is ``served``, as last asked for; of a plane that behaves as ``release``."""

    def __init__(self, api: Api, release: Release) -> None:
        self._api = api
        self._release = release
        self._built_in = served(release)
        self._read: dict[bytes, Custom] = {}
        self.served: Served = self._built_in

    async def renewed(self) -> Served:
        """Return what is served now. Raises what the Api raises."""
        values = {encoded.value: encoded async for encoded in self._definitions()}
        if values.keys() != self._read.keys():
            self._read = {value: self._read.get(value) or self._custom(encoded) for value, encoded in values.items()}
            self.served = with_customs(self._built_in, Customs(self._read.values()))
        return self.served

    async def _definitions(self) -> AsyncIterator[Encoded]:
        query = ListQuery(CUSTOM_RESOURCE_DEFINITION)
        while True:
            page = await self._api.list(query)
            for encoded in page.objects:
                yield encoded
            if not page.continue_token:
                return
            query = ListQuery(CUSTOM_RESOURCE_DEFINITION, continue_token=page.continue_token)

    def _custom(self, encoded: Encoded) -> Custom:
        return read_custom(encoded.read_as(StoredObject), self._release)
