"""A Kubernetes, through REST and a kubeconfig, as the target of a load."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rollplane_load.cluster import Target
from rollplane_load.rest.api import RestApi
from rollplane_load.rest.connection import connected
from rollplane_load.rest.kubeconfig import Access
from rollplane_load.scraping import Scraper
from rollplane_load.usage import UsageSource
from rollplane_machinery.api import ListQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ForbiddenError
from rollplane_machinery.kinds import NODE

FLEET = "sim.rollplane.dev/fleet"
"""The annotation of a node whose kubelet is simulated."""
FIRST_WITH_EVICTION_V1 = 22


@asynccontextmanager
async def kubernetes(
    access: Access, usages: UsageSource, clock: Clock, *, scraper: Scraper | None, profile: str
) -> AsyncIterator[Target]:
    """Open the cluster that ``access`` leads to, by one connection to write and one to watch.

    ``profile`` is what simulated kubelets live by, if it has any. Raises what the server answers.
    """
    async with connected(access, clock) as writing, connected(access, clock) as watching:
        version = json.loads((await writing.call("GET", "/version", tries=1)).body)
        eviction = "v1" if _minor(version) >= FIRST_WITH_EVICTION_V1 else "v1beta1"
        api = RestApi(writing, clock, eviction)
        yield Target(
            "rest",
            {"kind": "rest", "server": access.server, "version": str(version.get("gitVersion", ""))},
            api,
            RestApi(watching, clock),
            usages,
            scraper,
            profile=profile if await _is_simulated(api) else None,
            in_order=False,
            retries=lambda: writing.retries + watching.retries,
        )


def _minor(version: Any) -> int:
    """Some clusters write ``27+``."""
    digits = str(version.get("minor", "")).rstrip("+")
    return int(digits) if digits.isdecimal() else FIRST_WITH_EVICTION_V1


async def _is_simulated(api: RestApi) -> bool:
    """Tell whether the nodes have simulated kubelets; not when one may not ask."""
    try:
        page = await api.list(ListQuery(NODE, limit=1))
    except ForbiddenError:
        return False
    return any(FLEET in each.parse().metadata.annotations for each in page.objects)
