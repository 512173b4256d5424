"""A cluster each call to which is timed, by verb."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager

from rollplane_load.cluster import Cluster
from rollplane_load.lag import LagMeter
from rollplane_load.tally import Tally
from rollplane_machinery.api import Key, ListQuery, Page, WatchBatch, WatchQuery, Write, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.invariants import WATCHED
from rollplane_machinery.kinds import Encoded

_WATCHED = frozenset(WATCHED)
_VERBS = {"UpdateStatus": "update", "DeleteCollection": "delete"}


class MeasuredCluster:
    """``cluster``, measured into ``tally``; writes of what the watcher sees start its clock of watch lag."""

    def __init__(self, cluster: Cluster, tally: Tally, clock: Clock) -> None:
        self._cluster = cluster
        self._tally = tally
        self._clock = clock
        self.lag: LagMeter | None = None

    async def get(self, key: Key) -> Encoded:
        with self._timed("get"):
            return await self._cluster.get(key)

    async def list(self, query: ListQuery) -> Page:
        with self._timed("list"):
            return await self._cluster.list(query)

    async def write(self, write: Write) -> WriteResult:
        name = type(write).__name__
        with self._timed(_VERBS.get(name, name.lower())):
            result = await self._cluster.write(write)
        self._answered(write, result)
        return result

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        with self._timed("batch"):
            answers = await self._cluster.batch(writes)
        for write, answer in zip(writes, answers, strict=True):
            if isinstance(answer, WriteResult):
                self._answered(write, answer)
        return answers

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._cluster.watch(query)

    def _answered(self, write: Write, result: WriteResult) -> None:
        self._tally.writes += 1
        if self.lag is not None and result.revision and write.key.kind in _WATCHED:
            self.lag.answered(write.key.kind, result.revision)

    @contextmanager
    def _timed(self, verb: str) -> Iterator[None]:
        """Time what succeeds; what fails is counted by whoever asked."""
        started = self._clock.monotonic()
        yield
        self._tally.verbs[verb].append(self._clock.monotonic() - started)
