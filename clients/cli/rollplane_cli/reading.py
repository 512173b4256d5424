"""Reading objects: all pages of a list, and their keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from rollplane_machinery.api import Api, Key, ListQuery
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Encoded

_PART = 200


@frozen
class Listed:
    """All objects of a list, and the revision at which they are the whole truth."""

    objects: tuple[Encoded, ...]
    revision: int


async def list_all(api: Api, query: ListQuery) -> Listed:
    """Return every page of ``query``."""
    objects: list[Encoded] = []
    revision = await read_pages(api, query, objects.extend)
    return Listed(tuple(objects), revision)


async def read_pages(api: Api, query: ListQuery, take: Callable[[Sequence[Encoded]], None]) -> int:
    """Hand all objects of ``query`` to ``take``, in parts, each while the server makes the next page.

    Returns the revision at which they are the whole truth.
    """
    page = await api.list(query)
    while page.continue_token:
        further = replace(query, continue_token=page.continue_token)
        page, _ = await asyncio.gather(api.list(further), _hand_on(page.objects, take))
    await _hand_on(page.objects, take)
    return page.revision


async def _hand_on(objects: Sequence[Encoded], take: Callable[[Sequence[Encoded]], None]) -> None:
    for start in range(0, len(objects), _PART):
        await asyncio.sleep(0)  # the request for the next page leaves
        take(objects[start : start + _PART])


def key_of(encoded: Encoded) -> Key:
    """Return the object's key."""
    return encoded.key
