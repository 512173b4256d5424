"""Whether the store takes writes. Reading its log does not tell: a full disk or a lost master refuses writes only."""

from __future__ import annotations

import asyncio

from rollplane_apiserver.store.interface import Store
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError

ASK_SECONDS = 1.0
ANSWER_SECONDS = 2.0


class WriteProbe:
    """Commits nothing once a second, which a store that refuses writes refuses too; ``run`` until cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._trouble = ""

    def trouble(self) -> str:
        """Return why writes are refused, nothing while they are taken: a Check."""
        return self._trouble

    async def run(self) -> None:
        """Ask again and again."""
        while True:
            await self.ask()
            await self._clock.sleep(ASK_SECONDS)

    async def ask(self) -> None:
        """Ask once; blocks ANSWER_SECONDS at most."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._store.commit(())
        except TimeoutError:
            self._trouble = "the store does not answer"
        except RollplaneError as exc:
            self._trouble = exc.message
        else:
            self._trouble = ""
