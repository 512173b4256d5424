"""What a refusal means that a repeated write met."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import ConfigMap
from rollplane_client.identity import metadata_of
from rollplane_client.repeatable import settle_by_owner
from rollplane_client.typed import parse
from rollplane_machinery.api import Create, Update, WriteResult
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.kinds import CONFIG_MAP, Encoded
from tests.clients.python.plane import Plane, config_map, key


async def test_an_update_that_meets_its_own_first_sending_is_answered_with_what_is_stored(plane: Plane) -> None:
    api = plane.in_process()
    async with asyncio.timeout(10):
        await api.write(Create(Encoded.of(config_map("a"))))
        stored = parse(ConfigMap, await api.get(key(CONFIG_MAP, "a")))
        stored.metadata.labels["sent"] = "once"
        update = Update(Encoded.of(stored))
        await api.write(update)  # its answer is lost, and it is sent again
        now = metadata_of((await api.get(key(CONFIG_MAP, "a"))).value).resource_version
        answer = await settle_by_owner(api)(update, ConflictError("stale"))
    assert answer == WriteResult(revision=int(now))


async def test_an_update_of_what_is_gone_stays_refused(plane: Plane) -> None:
    refusal = ConflictError("stale")
    assert await settle_by_owner(plane.in_process())(Update(Encoded.of(config_map("gone"))), refusal) is refusal
