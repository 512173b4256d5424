"""Reading objects: all pages of a list, and watches that survive a server's restart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from rollplane_machinery.api import Api, Key, ListQuery, WatchBatch, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import UnavailableError
from rollplane_machinery.kinds import Encoded

GIVE_UP_SECONDS = 30.0
"""How long a watch waits for a server that went away."""

_RETRY_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of a list, and the revision at which they are the whole truth."""

    objects: tuple[Encoded, ...]
    revision: int


async def list_all(api: Api, query: ListQuery) -> Listed:
    """Return every page of ``query``."""
    objects: list[Encoded] = []
    token = ""
    while True:
        page = await api.list(replace(query, continue_token=token))
        objects += page.objects
        token = page.continue_token
        if not token:
            return Listed(tuple(objects), page.revision)


def key_of(encoded: Encoded) -> Key:
    """Return the object's key."""
    metadata = encoded.parse().metadata
    return Key(encoded.kind, metadata.namespace, metadata.name)


@asynccontextmanager
async def following(api: Api, clock: Clock, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
    """Open a watch that goes on where it was when the server comes back within GIVE_UP_SECONDS.

    What is cut off while initial state is sent is sent from its beginning again. The iterator raises
    UnavailableError when the server stays away, ExpiredError when its log no longer reaches back.
    """
    async with aclosing(_batches(api, clock, query)) as batches:
        yield batches


async def _batches(api: Api, clock: Clock, query: WatchQuery) -> AsyncGenerator[WatchBatch, None]:
    down_since: float | None = None
    while True:
        try:
            async with api.watch(query) as batches:
                async for batch in batches:
                    down_since = None
                    if batch.revision:
                        query = replace(query, from_revision=batch.revision, send_initial_state=False)
                    yield batch
        except UnavailableError:
            now = clock.monotonic()
            down_since = now if down_since is None else down_since
            if now - down_since > GIVE_UP_SECONDS:
                raise
        await clock.sleep(_RETRY_SECONDS)
