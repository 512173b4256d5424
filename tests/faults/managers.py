"""What befalls the managers that share the shards of one plane: killed, paused, started anew."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

from rollplane_rehearsal.faults.controllers import Controllers

PAUSE_SECONDS = (1.0, 25.0)
"""How long one stands still: its leases last 10 s."""


class Troubles:
    """Does something to one of ``managers`` every few seconds, until ``calm``."""

    def __init__(self, managers: Controllers, dice: Random) -> None:
        self._managers = managers
        self._dice = dice
        self.calm = False
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Make trouble; what was begun is carried through."""
        while not self.calm:
            await asyncio.sleep(self._dice.uniform(0.0, 8.0))
            await self._dice.choice((self._kill, self._stop, self._restart))(self._dice.randrange(2))

    async def _kill(self, which: int) -> None:
        self.counts["manager killed"] += 1
        await self._managers.kill(which)

    async def _restart(self, which: int) -> None:
        self.counts["manager restarted"] += 1
        await self._managers.restart(which)

    async def _stop(self, which: int) -> None:
        self.counts["manager paused"] += 1
        await list(self._managers)[which].network.stop(self._dice.uniform(*PAUSE_SECONDS))
