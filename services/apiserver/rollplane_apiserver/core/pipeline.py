"""The way of a write: decide on what the cache holds, confirm on what the store holds, commit, redo what was overtaken.

Refusals and "nothing to do" are never answered from the cache alone: such a decision is made again on a live read.
What a commit refuses because the object has moved on is decided anew on a live read too, five tries in all, so that
only a version that the caller named can be in conflict.

A write with a token is made at most once: its token goes into the commit, and the store answers a known one with what
came of it. A repeat that would be refused, or change nothing, proves nothing: its first sending may have been made, or
be on its way. So its token is withdrawn first; then either the first sending's result or the refusal is definite.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from rollplane_apiserver.core import refusals
from rollplane_apiserver.core.item import Batch, Item, Result
from rollplane_apiserver.core.live import LiveReader
from rollplane_apiserver.core.step import Step
from rollplane_apiserver.store.committer import GroupCommitter
from rollplane_apiserver.store.interface import Mutation, Require, Settled
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.entry import Entry
from rollplane_apiserver.watch.freshness import Freshness
from rollplane_machinery import kinds
from rollplane_machinery.api import Key, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import InternalError, Outcome, RollplaneError
from rollplane_rules.registry.namespaces import is_sealed

log = logging.getLogger(__name__)

_CHUNK = 128  # writes prepared before they are sent on: as many as the committer puts into one commit
_SLICE_WRITES = 64  # bounds a slice where the loop's time stands still


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Carries out writes; one for all callers of a core. ``slice_seconds`` bounds how long it keeps the loop."""

    cache: Cache
    committer: GroupCommitter
    live: LiveReader
    freshness: Freshness
    clock: Clock
    slice_seconds: float

    async def write(self, step: Step) -> WriteResult:
        """Carry out one write ahead of batches; raises what refused it."""
        item = Item(step)
        try:
            await self._carry_out([item], single=True)
        finally:
            _let_go([item])
        result = _result(item)
        if isinstance(result, RollplaneError):
            raise result
        return result

    async def made_before(self, step: Step) -> WriteResult | None:
        """Return what an earlier sending of a repeat came to; None when none was made, or ever will be.

        Raises UnavailableError when that cannot be told.
        """
        item = Item(step, is_live=True, refusal=refusals.withdrawn(step.key))
        if not item.is_unproven:
            return None
        await self._carry_out([item], single=True)
        result = _result(item)
        if isinstance(result, WriteResult):
            return result
        if result.outcome is not None:
            raise result
        return None

    async def batch(self, steps: Sequence[tuple[Step, str]]) -> list[Result]:
        """Carry out writes, each with its group; results in order, failures as values."""
        items = [Item(step, group) for step, group in steps]
        try:
            if len(items) <= _CHUNK:
                await self._carry_out(items, single=False)
            else:
                await self._carry_out_chunks(_chunks(items))
        finally:
            _let_go(items)
        return [_result(item) for item in items]

    async def _carry_out_chunks(self, chunks: Sequence[Sequence[Item]]) -> None:
        """Prepare each chunk while the one before it is being committed."""
        async with asyncio.TaskGroup() as tasks:
            for chunk in chunks:
                await self._decide(chunk)
                tasks.create_task(self._carry_out(chunk, single=False))

    async def _carry_out(self, items: Sequence[Item], *, single: bool) -> None:
        batch = Batch()
        pending = items
        repeats = [item for item in items if item.step.options.repeat]
        while pending:
            await self._decide(pending)
            await self._confirm([item for item in pending if item.is_doubtful])
            await self._withdraw([item for item in repeats if not item.is_settled])
            batch.conclude(pending)
            await self._commit([item for item in pending if not item.is_settled], batch, single=single)
            pending = [item for item in pending if not item.is_settled]
        await self._withdraw(repeats)
        await self._tell_made([item for item in items if item.made_at])
        for item in repeats:
            item.claim_nothing()

    async def _decide(self, items: Sequence[Item]) -> None:
        """Decide on what the cache holds, giving way to other tasks between slices."""
        loop = asyncio.get_running_loop()
        slice_end = loop.time() + self.slice_seconds
        for number, item in enumerate(items, 1):
            if item.is_decided or item.tries or item.step.is_live or item.step.options.dry_run:
                continue
            self._decide_one(item, self._cached(item) if item.step.reads else None)
            if number % _SLICE_WRITES == 0 or loop.time() > slice_end:
                await asyncio.sleep(0)
                slice_end = loop.time() + self.slice_seconds

    def _cached(self, item: Item) -> Entry | None:
        key = item.step.key
        return self.cache.entry(key.kind, f"{key.namespace}/{key.name}")

    def _decide_one(self, item: Item, current: Entry | None) -> None:
        item.current = current
        try:
            item.decision = item.step.decide(current, self.clock.now())
            item.hold = item.decision.hold
        except RollplaneError as exc:
            item.refusal = exc.as_value()
        except Exception as exc:
            # A defect met by one write must not take the whole batch with it.
            log.exception("a write could not be decided", extra={"object": str(item.step.key)})
            item.refusal = InternalError(f"deciding a write of {item.step.key} failed: {exc!r}")

    async def _confirm(self, items: Sequence[Item]) -> None:
        """Decide on what the store holds now, unless the cache held just that."""
        if not items:
            return
        try:
            if any(item.asks_cache for item in items):
                await self.freshness.current()
            found = await self.live.read(item.step.key for item in items if item.step.reads)
        except RollplaneError as exc:
            untried = exc.with_outcome(Outcome.NOT_SENT)
            for item in items:
                item.decision, item.refusal, item.is_live = None, untried, True
            return
        for item in items:
            self._decide_live(item, found.get(item.step.key))

    def _decide_live(self, item: Item, current: Entry | None) -> None:
        is_same = item.is_decided and not item.asks_cache and _revision(current) == _revision(item.current)
        if not is_same:
            item.decision = item.refusal = None
            self._decide_one(item, current)
        item.is_live = True

    async def _withdraw(self, items: Sequence[Item]) -> None:
        """Have the store decide what became of repeats that prove nothing by themselves."""
        unproven = [item for item in items if item.is_unproven]
        if not unproven:
            return
        answers = await self._settled([item.withdrawal() for item in unproven], single=False)
        for item, settled in zip(unproven, answers, strict=True):
            item.take_withdrawal(settled)

    async def _tell_made(self, items: Sequence[Item]) -> None:
        """Give their results to writes that an earlier sending has made."""
        if not items:
            return
        try:
            found = await self.live.read(item.step.key for item in items)
        except RollplaneError as exc:
            failure = exc.as_value()
            for item in items:
                item.result = failure
            return
        for item in items:
            item.result = item.answer_made(self.cache.ring.event_at(item.made_at), found[item.step.key])

    async def _commit(self, items: Sequence[Item], batch: Batch, *, single: bool) -> None:
        written = [item for item in items if not item.step.options.dry_run]
        for item in items:
            if item.step.options.dry_run:
                batch.settle_rehearsed(item, await self._rehearse(item))
        mutations = [item.mutations() for item in written]
        flat = [mutation for part in mutations for mutation in part]
        if not flat:
            return
        settled = iter(await self._settled(flat, single=single))
        for item, part in zip(written, mutations, strict=True):
            batch.settle(item, [next(settled) for _ in part])
            if item.hold is not None:
                item.let_go(item.hold)

    async def _settled(self, mutations: Sequence[Mutation], *, single: bool) -> Sequence[Settled]:
        try:
            if single and len(mutations) == 1:
                return (await self.committer.write(mutations[0]),)
            return await self.committer.write_batch(mutations)
        except RollplaneError as exc:
            return [exc.as_value()] * len(mutations)

    async def _rehearse(self, item: Item) -> Result:
        """Return what the write would come to, by looking at what a commit would check."""
        proposal, key = item.proposal, item.step.key
        if proposal.mutation.require is Require.ABSENT:
            try:
                await self._rehearse_create(key)
            except RollplaneError as exc:
                return exc
        return item.answer(item.current.revision if item.current else 0)

    async def _rehearse_create(self, key: Key) -> None:
        if await self.live.one(key) is not None:
            raise refusals.already_exists(key)
        if not key.namespace:
            return
        namespace = await self.live.one(Key(kinds.NAMESPACE, "", key.namespace))
        if namespace is None:
            raise refusals.namespace_missing(key.namespace)
        if is_sealed(namespace.encoded.parse()):
            raise refusals.namespace_terminating(key)


def _chunks(items: Sequence[Item]) -> list[Sequence[Item]]:
    """Cut ``items`` so that the first are committed while others are being decided.

    A group is never cut: what is in one must be decided and committed in order.
    """
    last = {item.group: at for at, item in enumerate(items) if item.group}
    chunks: list[Sequence[Item]] = []
    start = until = 0
    for at, item in enumerate(items):
        until = max(until, last.get(item.group, at))
        if at == until and at + 1 - start >= _CHUNK:
            chunks.append(items[start : at + 1])
            start = at + 1
    if start < len(items):
        chunks.append(items[start:])
    return chunks


def _let_go(items: Sequence[Item]) -> None:
    """Leave nothing held of quotas, however the writes ended."""
    for item in items:
        if item.hold is not None:
            item.let_go(item.hold, for_good=True)


def _result(item: Item) -> Result:
    return item.result if item.result is not None else InternalError(f"no result for {item.step.key}")


def _revision(entry: Entry | None) -> int:
    return entry.revision if entry is not None else 0
