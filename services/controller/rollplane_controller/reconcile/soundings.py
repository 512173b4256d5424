"""How far the store is: asked when an answer shows that the cache is behind it, and no revision says how far.

A write that found its object gone, or of which nobody knows whether it was made, tells of changes that the cache may
not show yet. Planned on such a cache, another pod would be given up beside the one that is gone, or made beside the one
that may have been made.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rollplane_machinery.api import ListQuery, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import NAMESPACE

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

Tell = Callable[[int], None]


async def sound(api: ObjectApi) -> int:
    """Return a revision at or above that of every write that was made before the call."""
    return (await api.list(ListQuery(NAMESPACE, limit=1))).revision


class Soundings:
    """Asks for all that want to know at once; ``run`` must be running."""

    def __init__(self, api: ObjectApi, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._asking: list[Tell] = []
        self._asked = asyncio.Event()

    def ask(self, tell: Tell) -> None:
        """Call ``tell`` with a revision that covers all writes made before now, as soon as there is an answer."""
        self._asking.append(tell)
        self._asked.set()

    async def run(self) -> None:
        """Ask whenever somebody wants to know, until cancelled; who comes meanwhile waits for the next answer."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            asking, self._asking = self._asking, []
            revision = await self._sound()
            for tell in asking:
                tell(revision)

    async def _sound(self) -> int:
        while True:
            try:
                return await sound(self._api)
            except RollplaneError as exc:
                log.info("the store's revision is not known", extra={"reason": exc.reason, "detail": exc.message})
                await self._clock.sleep(RETRY_SECONDS)
