"""Faults, one after another and side by side, chosen by a seed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from tests.soak.processes import Process
from tests.soak.stage import Stage

PAUSE_SECONDS = (0.5, 15.0)
"""How long a process stands still: a lease lasts 11 s."""


class Chaos:
    """Breaks ``stage`` by ``chance``; everything that lasts is mended by the fault itself."""

    def __init__(self, stage: Stage, chance: Random) -> None:
        self._stage = stage
        self._chance = chance
        self._setting = asyncio.Lock()
        """One thing at a time is set wrongly: a server short of memory that may throw keys away would do it."""
        self._faults: Sequence[tuple[int, Callable[[], Awaitable[None]]]] = (
            (8, self._kill_service),
            (2, self._kill_store),
            (4, self._pause_service),
            (1, self._pause_store),
            (5, self._cut),
            (3, self._delay),
            (3, self._stall),
            (4, self._lose_answers),
            (2, self._starve),
            (1, self._refuse),
            (1, self._let_evict),
            (1, self._deny),
        )

    async def run(self, seconds: float) -> None:
        """Break something every few seconds, for ``seconds``; then all is mended."""
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                while True:
                    await asyncio.sleep(self._chance.uniform(0.5, 4.0))
                    weights, faults = zip(*self._faults, strict=True)
                    (fault,) = self._chance.choices(faults, weights)
                    tasks.create_task(fault())
        except TimeoutError:
            self._stage.heal()
            await self._stage.set_rightly()

    async def _kill_service(self) -> None:
        if self._chance.choice(self._stage.services).signal(signal.SIGKILL):
            self._stage.count("kills")

    async def _kill_store(self) -> None:
        if self._chance.choice([self._stage.store, self._stage.replica]).signal(signal.SIGKILL):
            self._stage.count("store kills")

    async def _pause_service(self) -> None:
        await self._pause(self._chance.choice(self._stage.services))

    async def _pause_store(self) -> None:
        await self._pause(self._stage.store)

    async def _pause(self, process: Process) -> None:
        if process.signal(signal.SIGSTOP):
            self._stage.count("pauses")
            try:
                await asyncio.sleep(self._chance.uniform(*PAUSE_SECONDS))
            finally:
                process.signal(signal.SIGCONT)

    async def _cut(self) -> None:
        self._stage.count("cuts", self._chance.choice(self._stage.links).cut())

    async def _delay(self) -> None:
        link = self._chance.choice(self._stage.links)
        link.delay_seconds = self._chance.uniform(0.01, 0.5)
        self._stage.count("delays")
        try:
            await asyncio.sleep(self._chance.uniform(0.5, 5.0))
        finally:
            link.delay_seconds = 0.0

    async def _stall(self) -> None:
        link = self._chance.choice(self._stage.links)
        link.stall()
        self._stage.count("stalls")
        try:
            await asyncio.sleep(self._chance.uniform(0.5, 12.0))
        finally:
            link.flow()

    async def _lose_answers(self) -> None:
        link = self._chance.choice(self._stage.links)
        link.lose_answers()
        self._stage.count("losses of answers")
        try:
            await asyncio.sleep(self._chance.uniform(0.1, 2.0))
        finally:
            link.keep_answers()

    async def _starve(self) -> None:
        """Leave the store no memory: it takes what makes it smaller, and nothing else."""
        await self._set_wrongly("shortages of memory", "CONFIG", "SET", "maxmemory", "1mb")

    async def _refuse(self) -> None:
        """Let the store refuse all writes."""
        await self._set_wrongly("refusals of writes", "CONFIG", "SET", "min-replicas-to-write", "3")

    async def _let_evict(self) -> None:
        """Set the store up so that no apiserver may take it; those that are connected have to look again."""
        await self._set_wrongly("wrong policies", "CONFIG", "SET", "maxmemory-policy", "allkeys-lru", cut=True)

    async def _deny(self) -> None:
        """Take a command from the store's users that a commit cannot do without, while it is at it."""
        denied = self._chance.choice(["-xadd", "-hset", "-hdel"])
        await self._set_wrongly("permissions taken away", "ACL", "SETUSER", "default", denied)

    async def _set_wrongly(self, what: str, *words: str, cut: bool = False) -> None:
        async with self._setting:
            if await self._stage.command(*words):
                self._stage.count(what)
            if cut:
                await self._stage.command("CLIENT", "KILL", "TYPE", "normal")
            await asyncio.sleep(self._chance.uniform(0.5, 12.0))
            await self._stage.set_rightly()
