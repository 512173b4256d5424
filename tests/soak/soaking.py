"""A soak: eras of work under chaos, each judged at its end, until the time is up and all must come to rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

from rollplane.core.v1 import Namespace
from rollplane_client.grpc_api import connect as connect_api
from rollplane_client.objects import Client
from rollplane_machinery.api import Api, ListQuery
from rollplane_machinery.errors import AlreadyExistsError, RollplaneError
from rollplane_machinery.kinds import NAMESPACE as NAMESPACES
from tests.histories.calls import Act, Answer, Call
from tests.histories.linearizability import is_linearizable
from tests.histories.watches import Watched, faults_of_effects, faults_of_watches, faults_of_writes
from tests.soak.chaos import Chaos
from tests.soak.registers import NAMESPACE, Histories, RegisterClient, RegisterWatcher, stored_marks
from tests.soak.stage import Stage, staged
from tests.soak.workloads import Changes, Witness, come_to_rest, create_all

CLIENTS, REGISTERS, WATCHERS = 4, 6, 2
QUIET_SECONDS = 5.0
SETTLE_SECONDS = 60.0


@dataclass(slots=True)
class Report:
    """What was done and what was found; ``faults`` must be empty."""

    seed: int
    seconds: float = 0.0
    figures: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def soak(folder: Path, seed: int, seconds: float, era_seconds: float, *, store_eras: bool = True) -> Report:
    """Soak for ``seconds`` and return what was found.

    ``store_eras`` lets eras end with the store's own catastrophes: an older copy restored, the replica promoted.
    """
    report, started = Report(seed), monotonic()
    async with staged(folder) as stage, AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(connect_api(stage.servers, name=f"soak-{n}")) for n in range(3)]
        run = _Soak(stage, apis, Random(seed), report)
        await run.prepare()
        async with run.watched():
            number = 0
            while monotonic() - started < seconds or number == 0:
                await run.era(number, min(era_seconds, seconds), store_eras=store_eras)
                number += 1
            await run.rest()
        report.figures.update(stage.figures)
        report.figures["eras"] = number
        report.faults += [
            f"{process.name} ended by itself with {process.odd_exits}"
            for process in stage.services
            if process.odd_exits
        ]
    report.seconds = round(monotonic() - started, 1)
    return report


class _Soak:
    def __init__(self, stage: Stage, apis: Sequence[Api], chance: Random, report: Report) -> None:
        self._stage = stage
        self._apis = apis
        self._chance = chance
        self._report = report
        self._client = Client(apis[0])
        self._witness = Witness(apis[1])
        self._changes = Changes(Client(apis[2]), Random(chance.random()))
        self._watchers = [RegisterWatcher(apis[n % len(apis)], f"watcher-{n}") for n in range(WATCHERS)]
        self._backup = stage.folder / "backup"
        self._marks = Histories().marks

    async def prepare(self) -> None:
        """Create what is worked on; waits for a plane that is away."""
        await create_all(self._client)
        namespace = Namespace()
        namespace.metadata.name = NAMESPACE
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                try:
                    return await self._create(namespace)
                except RollplaneError:
                    await asyncio.sleep(0.2)

    async def _create(self, namespace: Namespace) -> None:
        with suppress(AlreadyExistsError):
            await self._client.create(namespace)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch and change workloads while the context is open."""
        async with asyncio.TaskGroup() as tasks:
            working = [tasks.create_task(self._witness.run())]
            working += [tasks.create_task(watcher.run()) for watcher in self._watchers]
            try:
                yield
            finally:
                for task in working:
                    task.cancel()

    async def era(self, number: int, seconds: float, *, store_eras: bool) -> None:
        """Work under chaos, mend, judge; at the end of some the store itself comes to harm."""
        ending = self._chance.choice(["none", "failover", "older copy", "emptied"]) if store_eras else "none"
        histories = Histories(marks=self._marks)
        names = [f"era-{number}-{n}" for n in range(REGISTERS)]
        async with asyncio.TaskGroup() as tasks:
            working = [
                tasks.create_task(RegisterClient(self._apis[n % len(self._apis)], histories, self._branch()).run(names))
                for n in range(CLIENTS)
            ]
            working.append(tasks.create_task(self._changes.run()))
            await Chaos(self._stage, self._branch()).run(seconds)
            if ending == "failover":
                await self._fail_over()
            for task in working:
                task.cancel()
        await self._judge(histories, names, reads_count=ending != "failover")
        if ending == "older copy":
            await self._restore()
        elif ending == "emptied":
            await self._empty()

    def _branch(self) -> Random:
        return Random(self._chance.random())

    async def _judge(self, histories: Histories, names: Sequence[str], *, reads_count: bool) -> None:
        start = monotonic()
        marks = await self._settled_marks(names)
        for name in names:
            calls = histories.calls[name]
            kept = calls if reads_count else [call for call in calls if call.act is not Act.READ]
            last = Call(Act.READ, Answer.DONE, start, monotonic(), marks.get(name, ""))
            if not is_linearizable([*kept, last]):
                self._report.faults.append(f"{name}: no order of its {len(calls)} calls explains the answers: {calls}")
        await self._catch_up()
        self._report.faults += self._faults_of_watches(histories)
        figures = self._report.figures
        for answer in (Answer.DONE, Answer.UNKNOWN):
            figures[f"writes {answer.value}"] = figures.get(f"writes {answer.value}", 0) + histories.count(answer)

    async def _settled_marks(self, names: Sequence[str]) -> dict[str, str]:
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                try:
                    return dict(await stored_marks(self._apis[0], names))
                except RollplaneError:
                    await asyncio.sleep(0.2)

    async def _catch_up(self) -> None:
        """Wait until every watcher has been told as much as is stored now."""
        page = await self._apis[0].list(ListQuery(NAMESPACES, limit=1))
        for watcher in self._watchers:
            await until(partial(watcher.has_reached, page.revision))

    def _faults_of_watches(self, histories: Histories) -> Iterator[str]:
        stretches = [stretch for watcher in self._watchers for stretch in watcher.stretches]
        yield from faults_of_watches(stretches)
        for stretch in stretches:
            yield from faults_of_writes(histories.calls, stretch)
        union = {event.revision: event for stretch in stretches for event in stretch.events}
        yield from faults_of_effects(Watched("all", 0, 0, [union[revision] for revision in sorted(union)]))

    async def _fail_over(self) -> None:
        if await self._stage.replica_is_whole():
            await self._stage.demote()
            self._stage.count("failovers")

    async def _restore(self) -> None:
        if self._backup.exists():
            await self._stage.store.restore(self._backup)
            self._stage.count("older copies restored")
        else:
            self._stage.store.copy_data(self._backup)

    async def _empty(self) -> None:
        """Take everything from the store, as somebody does who mistakes it for another."""
        if await self._stage.command("FLUSHALL"):
            self._stage.count("stores emptied")
        await self.prepare()

    async def rest(self) -> None:
        """Mend all, and demand that every workload comes to rest, and then that nothing is written any more."""
        self._stage.heal()
        await create_all(self._client)
        self._report.faults += await come_to_rest(self._client)
        revision = (await self._apis[0].list(ListQuery(NAMESPACES, limit=1))).revision
        await until(lambda: self._witness.revision >= revision)
        before = self._witness.checker.events
        await asyncio.sleep(QUIET_SECONDS)
        if self._witness.checker.events != before:
            self._report.faults.append(f"{self._witness.checker.events - before} changes of workloads at rest")
        self._report.faults += self._witness.at_rest()
        figures = self._report.figures
        figures["changes of workloads"] = self._changes.made
        figures["events watched"] = self._witness.events + self._witness.checker.events
        figures["watch reloads"] = self._witness.reloads


async def until(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``; raises TimeoutError after SETTLE_SECONDS."""
    async with asyncio.timeout(SETTLE_SECONDS):
        for _ in iter(holds, True):
            await asyncio.sleep(0.1)
