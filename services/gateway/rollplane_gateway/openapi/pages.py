"""What answers the paths below ``/openapi``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.replies import Answer
from rollplane_gateway.requests import Request
from rollplane_gateway.statuses import not_served
from rollplane_machinery.releases import Release
from rollplane_machinery.served import Served

if TYPE_CHECKING:
    from rollplane_gateway.openapi.documents import OpenApi


class OpenApiPages:
    """The pages; the first one asked for since what is served has changed has the documents made, beside the loop."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._made: OpenApi | None = None
        self._of: Served | None = None
        self._making = asyncio.Lock()

    def pages(self) -> Mapping[str, Page]:
        """Return them by path."""
        return {"/openapi/v2": self._version_2, "/openapi/v3": self._index, "/openapi/v3/*": self._version_3}

    async def _index(self, backend: Backend, request: Request) -> Answer:
        return (await self._documents(backend)).index.reply(request.if_none_match)

    async def _version_3(self, backend: Backend, request: Request) -> Answer:
        name = request.path.removeprefix("/openapi/v3/").rstrip("/")
        reply = (await self._documents(backend)).version_3(name, request.query.text("hash"), request.if_none_match)
        if reply is None:
            raise not_served()
        return reply

    async def _version_2(self, backend: Backend, request: Request) -> Answer:
        documents = await self._documents(backend)
        async with self._making:
            await asyncio.to_thread(documents.make_version_2)
        return documents.version_2(request.accept).reply(request.if_none_match)

    async def _documents(self, backend: Backend) -> OpenApi:
        served = await backend.catalogue.renewed()
        async with self._making:
            if self._made is None or self._of is not served:
                self._made = await asyncio.to_thread(_make, self._release, served, self._made)
                self._of = served
        return self._made


def _make(release: Release, served: Served, before: OpenApi | None) -> OpenApi:
    """Their code is loaded here: a plane starts a tenth of a second sooner without it."""
    from rollplane_gateway.openapi.documents import OpenApi

    documents = OpenApi(release, served, before)
    documents.make_version_3()
    return documents
