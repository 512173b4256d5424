"""A store in this process: the same promises without a server, for hermetic tests and simulation.

It is the plainest statement of the contract: read it before the Lua script. Nothing survives the process.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from bisect import bisect_right
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from rollplane_apiserver.store.checks import check_epoch, check_mutations, check_position, check_room, check_shard
from rollplane_apiserver.store.groups import Groups
from rollplane_apiserver.store.interface import (
    BATCH_BYTES,
    BATCH_CHANGES,
    DEFAULT_TOKENS,
    NAMESPACES,
    Change,
    Committed,
    Jump,
    LogBatch,
    Mutation,
    Outcome,
    Reckoning,
    Refusal,
    Refused,
    Require,
    Stored,
    TokenLimits,
)
from rollplane_apiserver.store.token_book import TokenBook
from rollplane_machinery.api import EventType, Fence
from rollplane_machinery.errors import Outcome as WriteOutcome
from rollplane_machinery.errors import UnavailableError
from rollplane_machinery.frozen import frozen

IDLE_SECONDS = 1.0
SCAN_CHUNK = 256
SLACK_BYTES = 512
TRIM_SHARE = 16  # a full log loses this fraction of its limit at once, so that trimming is rare


@frozen
class _Slot:
    """What is stored under one key."""

    value: bytes
    revision: int
    sealed: bool


class MemoryStore:
    """A Store in memory. ``log_entries`` and ``log_bytes`` bound the log; deterministic, without a task of its own.

    Who follows the log hears after ``idle_seconds`` that nothing has happened; never with ``math.inf``.
    ``observe`` is called with each change as it is made, before whoever asked for it hears of it.
    """

    def __init__(
        self,
        *,
        log_entries: int = 250_000,
        log_bytes: int = 256 * 1024 * 1024,
        tokens: TokenLimits = DEFAULT_TOKENS,
        idle_seconds: float = IDLE_SECONDS,
        observe: Callable[[Change], None] = lambda _change: None,
    ) -> None:
        self._objects: dict[str, dict[str, _Slot]] = {}
        self._claims: dict[str, str] = {}
        self._ledgers: dict[str, _Page] = {}
        self._fences: dict[str, int] = {}
        self._jumps: list[Jump] = []
        self._revision = 0
        self._log = _Log(log_entries, log_bytes)
        self._tokens = TokenBook(tokens)
        self._idle_seconds = idle_seconds
        self._observe = observe
        self._followers: list[asyncio.Event] = []
        self._closed = False
        self.full = False
        """Set it to be at the limit of memory, for tests of who writes to such a store."""

    @property
    def memory_is_short(self) -> bool:
        return self.full

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        self._check_open()
        check_mutations(mutations)
        self._tokens.age(asyncio.get_running_loop().time())
        groups = Groups()
        outcomes = [self._settle(mutation, groups) for mutation in mutations]
        self._log.trim()
        self._wake()
        return outcomes

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        self._check_open()
        slots = self._objects.get(resource, {})
        return [_stored(resource, key, slots[key]) if key in slots else None for key in keys]

    def held(self, resource: str) -> Sequence[Stored]:
        """Return all objects of a kind in the order of their keys, at once: for who looks on in this process."""
        return [_stored(resource, key, slot) for key, slot in sorted(self._objects.get(resource, {}).items())]

    async def revision(self) -> int:
        self._check_open()
        return self._revision

    async def oldest_revision(self) -> int:
        self._check_open()
        return self._log.oldest

    async def jumps(self) -> Sequence[Jump]:
        self._check_open()
        return tuple(self._jumps)

    @asynccontextmanager
    async def scan(self) -> AsyncIterator[tuple[int, AsyncIterator[Sequence[Stored]]]]:
        self._check_open()
        async with aclosing(self._chunks()) as chunks:
            yield self._revision, chunks

    async def _chunks(self) -> AsyncGenerator[Sequence[Stored], None]:
        for resource in tuple(self._objects):
            slots = tuple(self._objects[resource].items())
            for start in range(0, len(slots), SCAN_CHUNK):
                yield [_stored(resource, key, slot) for key, slot in slots[start : start + SCAN_CHUNK]]

    @asynccontextmanager
    async def follow(self, after: int) -> AsyncIterator[AsyncIterator[LogBatch]]:
        self._check_open()
        self._check_position(after)
        moved = asyncio.Event()
        self._followers.append(moved)
        try:
            async with aclosing(self._batches(after, moved)) as batches:
                yield batches
        finally:
            self._followers.remove(moved)

    async def changes(self, after: int) -> LogBatch:
        self._check_open()
        self._check_position(after)
        entries = self._log.after(after)
        reached = entries[-1].revision if entries else after
        return LogBatch([entry.change for entry in entries if entry.change], reached)

    async def _batches(self, position: int, moved: asyncio.Event) -> AsyncGenerator[LogBatch, None]:
        while True:
            moved.clear()
            batch = await self.changes(position)
            if batch.revision == position:
                await self._moved(moved)
                batch = await self.changes(position)
            yield batch
            position = batch.revision

    async def _moved(self, moved: asyncio.Event) -> None:
        """Wait for the log to move, or until its followers must hear of us."""
        if self._idle_seconds == math.inf:
            await moved.wait()
            return
        alarm = asyncio.get_running_loop().call_later(self._idle_seconds, moved.set)
        try:
            await moved.wait()
        finally:
            alarm.cancel()

    async def raise_fence(self, fence: Fence) -> None:
        self._check_open()
        check_shard(fence.shard)
        current = self._fences.get(fence.shard, 0)
        check_epoch(fence, current=current, revision=self._revision, jumps=self._jumps)
        if not current:
            check_room(fence, len(self._fences))
        self._fences[fence.shard] = fence.epoch

    async def close(self) -> None:
        self._closed = True
        self._wake()

    def jump(self, to: int) -> None:
        """Do what a Redis store does when its server restarted at the microsecond ``to``, for tests of who reads it."""
        jump = Jump(self._revision, max(self._revision, to))
        self._jumps.append(jump)
        self._fences.clear()
        self._revision = jump.to + 1
        self._log.append(_Entry(self._revision))
        self._log.trim()
        self._wake()

    def _settle(self, mutation: Mutation, groups: Groups) -> Outcome:
        known = self._tokens.outcome(mutation.token)
        if known is not None:
            outcome = known
        elif mutation.require is Require.NEVER:
            self._tokens.note(mutation.token, 0)
            outcome = Refused(Refusal.WITHDRAWN)
        elif groups.has_failed(mutation.group):
            outcome = Refused(Refusal.NOT_ATTEMPTED)
        else:
            outcome = self._apply(mutation)
        groups.note(mutation.group, outcome)
        return outcome

    def _apply(self, mutation: Mutation) -> Outcome:
        slot = self._objects.get(mutation.resource, {}).get(mutation.key)
        refusal = self._refusal(mutation, slot)
        if refusal is not None:
            return Refused(refusal, slot.revision if slot else 0)
        self._revision += 1
        self._store(mutation)
        change = _change(self._revision, mutation, slot)
        self._log.append(_Entry(self._revision, change))
        self._observe(change)
        self._tokens.note(mutation.token, self._revision)
        return Committed(self._revision)

    def _refusal(self, mutation: Mutation, slot: _Slot | None) -> Refusal | None:
        fence = mutation.fence
        if fence is not None and self._fences.get(fence.shard) != fence.epoch:
            return Refusal.FENCED
        if mutation.namespace:
            namespace = self._objects.get(NAMESPACES, {}).get(f"/{mutation.namespace}")
            if namespace is None:
                return Refusal.NAMESPACE_MISSING
            if namespace.sealed:
                return Refusal.NAMESPACE_SEALED
        refusal = _unmet(mutation, slot) or self._claimed(mutation)
        if refusal is None and mutation.reckoning is not None:
            refusal = self._overtaken(mutation.reckoning)
        return Refusal.NO_MEMORY if refusal is None and self.full and not _makes_room(mutation, slot) else refusal

    def _claimed(self, mutation: Mutation) -> Refusal | None:
        holders = (self._claims.get(claim) for claim in mutation.claims)
        return Refusal.CLAIMED if any(holder not in (None, _holder(mutation)) for holder in holders) else None

    def _overtaken(self, reckoning: Reckoning) -> Refusal | None:
        page = self._ledgers.get(reckoning.ledger, _Page())
        return Refusal.OVERTAKEN if page.last_but_of(reckoning.reader) > reckoning.seen else None

    def _enter(self, reckoning: Reckoning) -> None:
        page = self._ledgers.get(reckoning.ledger, _Page())
        others = page.last_but_of(reckoning.reader)
        self._ledgers[reckoning.ledger] = _Page(self._revision, others, reckoning.reader)

    def _keep_claims(self, mutation: Mutation) -> None:
        holder = _holder(mutation)
        for claim in mutation.frees:
            if self._claims.get(claim) == holder:
                del self._claims[claim]
        self._claims.update(dict.fromkeys(mutation.claims, holder))

    def _store(self, mutation: Mutation) -> None:
        self._keep_claims(mutation)
        if mutation.reckoning is not None:
            self._enter(mutation.reckoning)
        slots = self._objects.setdefault(mutation.resource, {})
        if mutation.value is None:
            del slots[mutation.key]
            if mutation.resource == NAMESPACES:
                self._ledgers.pop(mutation.key.removeprefix("/"), None)
        else:
            slots[mutation.key] = _Slot(mutation.value, self._revision, mutation.sealed)

    def _check_position(self, position: int) -> None:
        check_position(position, oldest=self._log.oldest, revision=self._revision, jumps=self._jumps)

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the store is closed", outcome=WriteOutcome.NOT_SENT)

    def _wake(self) -> None:
        for follower in self._followers:
            follower.set()


@frozen
class _Page:
    """When a ledger was entered last, by whom, and when last by another."""

    last: int = 0
    others: int = 0
    reader: str = ""

    def last_but_of(self, reader: str) -> int:
        """Return when another than ``reader`` entered last."""
        return self.others if reader == self.reader else self.last


def _holder(mutation: Mutation) -> str:
    return f"{mutation.resource} {mutation.key}"


def _makes_room(mutation: Mutation, slot: _Slot | None) -> bool:
    """Tell whether a mutation makes the cell no larger than a mark for deletion does."""
    return mutation.value is None or (slot is not None and len(mutation.value) <= len(slot.value) + SLACK_BYTES)


@frozen
class _Entry:
    """One entry of the log; a jump has no change."""

    revision: int
    change: Change | None = None

    @property
    def size(self) -> int:
        change = self.change
        return len(change.value) + len(change.previous or b"") if change else 0


class _Log:
    """Entries in order of revision, the oldest of which go when there are too many or they are too large."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self.oldest = 0
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: list[_Entry] = []
        self._bytes = 0

    def append(self, entry: _Entry) -> None:
        self._entries.append(entry)
        self._bytes += entry.size

    def after(self, revision: int) -> Sequence[_Entry]:
        """Return the entries that make a batch behind ``revision``."""
        start = self._behind(revision)
        entries = self._entries[start : start + BATCH_CHANGES]
        if len(entries) < 2:
            return entries
        sizes = itertools.accumulate(entry.size for entry in entries)
        return entries[: max(1, sum(1 for _ in itertools.takewhile(lambda size: size <= BATCH_BYTES, sizes)))]

    def _behind(self, revision: int) -> int:
        """Return the place of the first entry above ``revision``: counted from the end unless a jump lies between."""
        entries = self._entries
        if not entries:
            return 0
        counted = len(entries) - max(0, entries[-1].revision - revision)
        if counted > 0 and entries[counted - 1].revision == revision:
            return counted
        return bisect_right(entries, revision, key=lambda entry: entry.revision)

    def trim(self) -> None:
        if len(self._entries) <= self._max_entries and self._bytes <= self._max_bytes:
            return
        entries = self._max_entries - self._max_entries // TRIM_SHARE
        size = self._max_bytes - self._max_bytes // TRIM_SHARE
        drop = 0
        while len(self._entries) - drop > entries or self._bytes > size:
            self._bytes -= self._entries[drop].size
            drop += 1
        self.oldest = self._entries[drop - 1].revision
        del self._entries[:drop]


def _unmet(mutation: Mutation, slot: _Slot | None) -> Refusal | None:
    if mutation.require is Require.ABSENT:
        return Refusal.EXISTS if slot else None
    if slot is None:
        return Refusal.MISSING
    stale = mutation.require is Require.REVISION and slot.revision != mutation.revision
    return Refusal.STALE if stale else None


def _change(revision: int, mutation: Mutation, slot: _Slot | None) -> Change:
    before = slot.value if slot else None
    if mutation.value is None:
        return Change(revision, EventType.DELETED, mutation.resource, mutation.key, before or b"", before)
    event = EventType.MODIFIED if slot else EventType.ADDED
    previous = before if mutation.log_previous else None
    return Change(revision, event, mutation.resource, mutation.key, mutation.value, previous)


def _stored(resource: str, key: str, slot: _Slot) -> Stored:
    return Stored(resource, key, slot.value, slot.revision)
