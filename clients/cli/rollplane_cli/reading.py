"""Reading objects: all pages of a list, and their keys."""

from __future__ import annotations

from dataclasses import replace

from rollplane_machinery.api import Api, Key, ListQuery
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Encoded


@frozen
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
    return encoded.key
