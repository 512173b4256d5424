"""A watch over a real socket, read event by event."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from rollplane.meta.v1 import WatchEvent
from tests.gateway.serving import Served

PROTOBUF = {"Accept": "application/vnd.kubernetes.protobuf"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


class Listener:
    """Reads what a watch tells."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def event(self) -> dict[str, Any]:
        """Return the next event of a JSON watch."""
        event: dict[str, Any] = json.loads(await self.response.content.readline())
        return event

    async def events(self, count: int) -> list[dict[str, Any]]:
        return [await self.event() for _ in range(count)]

    async def names(self, count: int) -> list[tuple[str, str]]:
        """Return type and name of the next events."""
        return [(event["type"], event["object"]["metadata"]["name"]) for event in await self.events(count)]

    async def frame(self) -> WatchEvent:
        """Return the next event of a protobuf watch."""
        size = int.from_bytes(await self.response.content.readexactly(4), "big")
        return WatchEvent.FromString(await self.response.content.readexactly(size))

    async def rest(self) -> list[dict[str, Any]]:
        """Return all events up to the end."""
        return [json.loads(line) for line in (await self.response.read()).splitlines()]


@asynccontextmanager
async def watching(served: Served, path: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[Listener]:
    """Open the watch at ``path``, which brings its own parameters."""
    async with served.session.get(served.url + path, headers=headers) as response:
        assert response.status == 200, await response.text()
        yield Listener(response)
