"""The one loop: take all ready keys, plan each, send their writes together, settle each key when its answers are in.

It holds no rules. It gives pods their names, adds the shard's fence, and turns answers into gates, back-off and
events (docs/architecture.md, "A rollout").
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from rollplane_client.batch_writer import Answer
from rollplane_client.events import EventRecorder
from rollplane_client.gates import Gates
from rollplane_client.tally import Tally
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.answers import is_harmless, is_passing, news_of, outruns_cache
from rollplane_controller.reconcile.live_looks import LiveLooks
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler
from rollplane_controller.reconcile.soundings import Soundings
from rollplane_controller.reconcile.submission import submit_all
from rollplane_controller.reconcile.throttle import Writer
from rollplane_controller.reconcile.wire_writes import Sent, wire_writes
from rollplane_controller.shards import ShardOwner
from rollplane_machinery.api import Fence, Key, ObjectApi, WriteOptions, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import RollplaneError, TerminalError
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.references import reference_to
from rollplane_planners.model import NOTHING, Plan, PlannedEvent

log = logging.getLogger(__name__)

SUCCESS, REQUEUE, REQUEUE_AFTER, ERROR, TERMINAL = "success", "requeue", "requeue_after", "error", "terminal"


@dataclass(frozen=True, slots=True)
class Means:
    """What loops work with."""

    observer: Observer
    api: ObjectApi
    writer: Writer
    clock: Clock
    random: Random
    shards: ShardOwner
    soundings: Soundings


class Loop:
    """Runs one reconciler: its queue, its gates, and the way from plans to writes and back."""

    def __init__(self, reconciler: Reconciler, means: Means) -> None:
        self._reconciler = reconciler
        self._observer = means.observer
        self._api = means.api
        self._writer = means.writer
        self._clock = means.clock
        self._random = means.random
        self._shards = means.shards
        self._soundings = means.soundings
        self._recorder = EventRecorder(means.writer.record, reconciler.component, means.clock)
        self._gates: Gates[Key] = Gates()
        self._failures: dict[Key, Failure] = {}
        self.name = reconciler.name
        self._options = WriteOptions(self.name, omit_object=True)
        self.queue: WorkQueue[Key] = WorkQueue(
            clock=means.clock, backoff=reconciler.pace.backoff, urgency=reconciler.urgency
        )
        self.results: Counter[str] = Counter()
        """How looks at keys ended, by one of the words above."""
        self.planning = Tally()
        """Seconds that rounds of planning took."""

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        self._reconciler.attach(self.queue.add)

    def wake(self, shards: frozenset[str]) -> None:
        """Look at every key of ``shards``: whatever was held back while they were not ours is among them."""
        for key in self._reconciler.all_keys():
            if self._shard_of(key) in shards:
                self.queue.add(key)

    async def run(self) -> None:
        """Plan whatever becomes ready, until cancelled."""
        await self._observer.informer.synced.wait()
        pace = self._reconciler.pace
        async with asyncio.TaskGroup() as tasks:
            for source in self._reconciler.sources:
                tasks.create_task(source())
            looks = LiveLooks(tasks, self._clock, pace.looks, pace.look_seconds)
            while keys := await self.queue.take(pace.round):
                self.planning.add(await self._plan_all(keys, looks))
                await asyncio.sleep(0)

    async def _plan_all(self, keys: Sequence[Key], looks: LiveLooks) -> float:
        """Plan the keys of a round, no faster than writes leave; return the seconds that planning took."""
        seconds = 0.0
        for key in keys:
            await self._writer.room()
            started = self._clock.monotonic()
            self._plan(key, looks)
            seconds += self._clock.monotonic() - started
        return seconds

    def _shard_of(self, key: Key) -> str:
        return self._reconciler.shard or self._shards.shard_of(key.namespace)

    def _fence_of(self, key: Key) -> Fence | None:
        return self._shards.fence(self._shard_of(key))

    def _shut_gate(self, key: Key, revision: int) -> None:
        """Do not plan ``key`` before the informer has reached ``revision``."""
        if revision > self._observer.informer.revision:
            self._gates.shut(key, revision)
            self._observer.at_next_progress(self._open_gates)

    def _open_gates(self, revision: int) -> None:
        for key in self._gates.reach(revision):
            self.queue.add(key)
        if self._gates:
            self._observer.at_next_progress(self._open_gates)

    # From a key to its writes.

    def _plan(self, key: Key, looks: LiveLooks) -> None:
        """Plan one key and send its writes; a failure delays this key only."""
        fence = self._fence_of(key)
        if fence is None or not self._gates.is_open(key):
            # Not ours now: once it is (again), its whole shard is looked at. Or the cache has not caught up with what
            # we wrote: its gate wakes the key.
            self.queue.done(key)
            return
        try:
            plan = self._reconciler.plan(key, self._failures.get(key), self._clock.now())
        except Exception as exc:
            self._fail(key, exc)
            return
        if not isinstance(plan, Plan):
            looks.ask(plan, partial(self._found, key))
        elif plan.confirm_owner:
            looks.ask(partial(self._confirmed, key, plan), partial(self._found, key))
        else:
            self._send(key, plan, fence)

    async def _confirmed(self, key: Key, plan: Plan) -> Plan:
        """Adopt only for an owner that, read live, is still the one planned for and not being deleted."""
        view = self._observer.informer.get(key)
        metadata = (await self._api.get(key)).parse().metadata
        same = view is not None and metadata.uid == view.uid and not is_being_deleted(metadata)
        return plan if same else NOTHING

    def _found(self, key: Key, plan: Plan | Exception) -> None:
        if isinstance(plan, Exception):
            self._fail(key, plan)
        elif (fence := self._fence_of(key)) is None:
            self.queue.done(key)
        else:
            self._send(key, plan, fence)

    def _send(self, key: Key, plan: Plan, fence: Fence) -> None:
        view = self._observer.informer.get(key)
        uid = view.uid if view else ""
        self._tell(key, uid, plan.events, fence)
        if fence is not self._options.fence:
            self._options = WriteOptions(self.name, fence=fence, omit_object=True)
        sent = [one for write in plan.writes for one in wire_writes(write, key, uid, self._options, self._random)]
        submit_all(self._writer, [one.write for one in sent], partial(self._settle, key, uid, plan, sent))

    # From answers to what comes next.

    def _settle(self, key: Key, uid: str, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """All answers are in: shut the gate behind what was written, tell what was done, come back when need be."""
        failures: list[Failure] = []
        events: list[PlannedEvent] = []
        for one, answer in zip(sent, answers, strict=True):
            if isinstance(answer, WriteResult):
                self._shut_gate(key, answer.revision)
                events += one.events
            elif not is_harmless(one.write, answer):
                failures.append(Failure(one.write, answer))
                if (news := news_of(key, one.write, answer)) is not None:
                    events.append(news)
        if events:
            self._tell(key, uid, events, self._fence_of(key))
        self._reconciler.answered(key, plan, sent, answers)
        if any(outruns_cache(one.write, answer) for one, answer in zip(sent, answers, strict=True)):
            self._soundings.ask(partial(self._conclude_behind, key, plan, failures))
        else:
            self._conclude(key, plan, failures)

    def _conclude_behind(self, key: Key, plan: Plan, failures: Sequence[Failure], revision: int) -> None:
        self._shut_gate(key, revision)
        self._conclude(key, plan, failures)

    def _conclude(self, key: Key, plan: Plan, failures: Sequence[Failure]) -> None:
        if failures:
            self._fail(key, failures[0].error, failures[0])
        else:
            self._end(key, plan)

    def _end(self, key: Key, plan: Plan) -> None:
        self._failures.pop(key, None)
        if plan.retry:
            self.results[REQUEUE] += 1
            self.queue.failed(key)
            return
        self.results[SUCCESS if plan.requeue_after is None else REQUEUE_AFTER] += 1
        self.queue.done(key)
        if plan.requeue_after is not None:
            self.queue.add_after(key, plan.requeue_after)

    def _fail(self, key: Key, error: Exception, failure: Failure | None = None) -> None:
        """Come back after the back-off; for a TerminalError when the object changes. ``failure`` is of a write."""
        if is_passing(error):
            self.results[REQUEUE] += 1
            self.queue.failed(key)
            return
        self._log_failure(key, error)
        if failure is not None:
            self._failures[key] = failure
        if isinstance(error, TerminalError):
            self.results[TERMINAL] += 1
            self.queue.done(key)
        else:
            self.results[ERROR] += 1
            delay = error.retry_after_seconds if isinstance(error, RollplaneError) else None
            self.queue.failed(key, retry_after_seconds=delay or 0.0)

    def _tell(self, key: Key, uid: str, events: Sequence[PlannedEvent], fence: Fence | None) -> None:
        """Write ``events``; nothing is told of a shard that is not ours any more."""
        if fence is None:
            return
        for event in events:
            subject = event.about or reference_to(key, uid)
            self._recorder.emit(subject, event.reason, event.message, type_=event.severity, fence=fence)

    def _log_failure(self, key: Key, error: Exception) -> None:
        extra = {"controller": self.name, "object": str(key), "detail": str(error)}
        log.warning("not reconciled", extra=extra, exc_info=None if isinstance(error, RollplaneError) else error)
