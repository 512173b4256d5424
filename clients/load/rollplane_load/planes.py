"""A plane over gRPC as the target of a load."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from rollplane_client.grpc_api import connect
from rollplane_client.rolling_updates import follow
from rollplane_load.cluster import Kill, Target
from rollplane_load.scraping import Scraper
from rollplane_load.usage import UsageSource
from rollplane_machinery.api import Api, Key, RolloutState, StartRollingUpdate
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InternalError
from rollplane_machinery.rolling_update import UpdatePace

AT_ONCE = UpdatePace(update_period_seconds=0.0, poll_interval_seconds=0.0)


class Retries:
    """Jitter that counts: it is asked for once before each call that is made again."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> float:
        self.count += 1
        return random.random()


class ServerRollingUpdates:
    """Rolling updates that the plane carries out, without a pause between the pods."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def roll(self, key: Key, image: str) -> None:
        """Raises InternalError when the update fails."""
        update = await self._api.start_rolling_update(StartRollingUpdate(key, image=image, pace=AT_ONCE))
        async with follow(self._api, update, self._clock) as steps:
            async for step in steps:
                if step.state is RolloutState.FAILED:
                    raise InternalError(f"the rolling update of {key.name} failed: {step.message}")


@asynccontextmanager
async def plane(
    address: str,
    kind: str,
    usages: UsageSource,
    clock: Clock,
    *,
    scraper: Scraper | None = None,
    kills: Mapping[str, Kill] | None = None,
    profile: str | None = None,
    disposable: bool = False,
) -> AsyncIterator[Target]:
    """Open the plane at ``address``, by one connection to write and one to watch."""
    retries = Retries()
    async with connect(address, name="load", jitter=retries) as api, connect(address, name="load-watch") as watched:
        yield Target(
            kind,
            {"kind": kind, "server": address},
            api,
            watched,
            usages,
            scraper,
            rolling=ServerRollingUpdates(api, clock),
            kills=kills or {},
            profile=profile,
            disposable=disposable,
            retries=lambda: retries.count,
        )
