"""Whether the store takes writes. Reading its log does not tell: a full disk or a lost master refuses writes only.

A store at its limit of memory still takes what makes it smaller, which is what mends it: that is told, and is no reason
to be left alone.
"""

from __future__ import annotations

import asyncio
import logging

from rollplane_apiserver.store.interface import Store
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_service.peer import SHORT_OF_MEMORY

log = logging.getLogger(__name__)

ASK_SECONDS = 1.0
ANSWER_SECONDS = 2.0


class WriteProbe:
    """Commits nothing once a second, which a store that refuses writes refuses too; ``run`` until cancelled."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._trouble = ""
        self._was_short = False

    def trouble(self) -> str:
        """Return why writes are refused, nothing while they are taken: a Check."""
        return self._trouble

    def shortage(self) -> str:
        """Return what the store is short of, nothing when it has all it needs: a Check that is only a note."""
        return SHORT_OF_MEMORY if self._store.memory_is_short else ""

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
        self._tell_of_shortage()

    def _tell_of_shortage(self) -> None:
        """Log when memory has run short, and when there is some again."""
        is_short = self._store.memory_is_short
        if is_short and not self._was_short:
            log.error(SHORT_OF_MEMORY)
        elif self._was_short and not is_short:
            log.info("the store has memory again")
        self._was_short = is_short
