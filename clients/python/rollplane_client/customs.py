"""Which custom kinds a server knows."""

from __future__ import annotations

from dataclasses import replace

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import ListQuery, ObjectApi
from rollplane_machinery.definitions import Customs, read_customs
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION


async def read_definitions(api: ObjectApi) -> list[StoredObject]:
    """Return all definitions as they are now; raises what the Api raises."""
    query, found = ListQuery(CUSTOM_RESOURCE_DEFINITION), list[StoredObject]()
    while True:
        page = await api.list(query)
        found += [encoded.read_as(StoredObject) for encoded in page.objects]
        if not page.continue_token:
            return found
        query = replace(query, continue_token=page.continue_token)


async def read_all(api: ObjectApi) -> Customs:
    """Return the custom kinds that there are now; raises what the Api raises."""
    return read_customs(await read_definitions(api))
