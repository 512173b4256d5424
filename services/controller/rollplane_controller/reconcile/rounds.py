"""Rounds: take all ready keys, plan each, send their writes together, settle each key when its answers are in.

The shell holds no rules. It gives pods their names, adds the shard's fence, and turns answers into gates, back-off
and events (docs/architecture.md, "A rollout").
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from rollplane.core.v1 import ObjectReference, Pod
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.gates import Gates
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.events import EventRecorder
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.pod_names import named, new_pods
from rollplane_controller.reconcile.reconciler import Failure, Reconciler
from rollplane_machinery.api import (
    Create,
    Delete,
    Fence,
    Key,
    ObjectApi,
    Preconditions,
    Update,
    UpdateStatus,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import (
    AlreadyExistsError,
    CauseReason,
    ConflictError,
    FencedError,
    NotAttemptedError,
    NotFoundError,
    RollplaneError,
    TerminalError,
)
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.claims import Owner
from rollplane_planners.model import (
    CreateDistinctPods,
    CreateObject,
    CreatePods,
    DeleteObject,
    Plan,
    PlannedEvent,
    PlannedWrite,
    Severity,
    UpdateObject,
    UpdateObjectStatus,
)

log = logging.getLogger(__name__)

ROUND = 64
"""Most keys planned in one go: some milliseconds of planning, then the loop is somebody else's."""


PASSING = (ConflictError, AlreadyExistsError, FencedError)
"""Somebody else was faster; the next look knows more. No failure worth showing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One write on its way, and the events its success deserves."""

    write: Write
    events: Sequence[PlannedEvent] = ()


@dataclass(slots=True, eq=False)
class _Waiting:
    """A key whose writes have not all been answered."""

    key: Key
    plan: Plan
    sent: Sequence[Sent]
    subject: ObjectReference
    missing: int
    answers: list[Answer | None] = field(default_factory=list)


class Rounds:
    """Runs one reconciler: its queue, its gates, and the way from plans to writes and back."""

    def __init__(
        self,
        reconciler: Reconciler,
        observer: Observer,
        api: ObjectApi,
        writer: BatchWriter,
        recorder: EventRecorder,
        *,
        clock: Clock,
        random: Random,
        fence_for: Callable[[str], Fence | None],
    ) -> None:
        self._reconciler = reconciler
        self._observer = observer
        self._api = api
        self._writer = writer
        self._recorder = recorder
        self._clock = clock
        self._random = random
        self._fence_for = fence_for
        self._gates: Gates[Key] = Gates()
        self._failures: dict[Key, Failure] = {}
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)
        self.reasons: dict[Key, Sequence[str]] = {}
        """Why an object does not move on, by its key, as of its last plan."""

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        self._reconciler.attach(self.queue.add)
        self._observer.informer.on_progress(self._open_gates)

    def wake_all(self) -> None:
        """Look at every object of the kind, as after a shard has been acquired."""
        for key, _ in self._observer.informer.items(self._reconciler.kind):
            self.queue.add(key)

    async def run(self) -> None:
        """Plan whatever becomes ready, until cancelled."""
        await self._observer.informer.synced.wait()
        async with asyncio.TaskGroup() as confirmations:
            while keys := await self.queue.take(ROUND):
                for key in keys:
                    self._plan(key, confirmations)
                await asyncio.sleep(0)

    def _open_gates(self, revision: int) -> None:
        for key in self._gates.reach(revision):
            self.queue.add(key)

    def _plan(self, key: Key, confirmations: asyncio.TaskGroup) -> None:
        """Plan one key and send its writes; a failure delays this key only."""
        fence = self._fence_for(key.namespace)
        if fence is None or not self._gates.is_open(key):
            # Not ours any more, or the cache has not caught up with what we wrote: its gate wakes the key again.
            self.queue.done(key)
            return
        try:
            plan = self._reconciler.plan(key, self._failures.get(key), self._clock.now())
        except Exception as exc:
            self._log_failure(key, exc)
            self.queue.failed(key)
            return
        self._note_reasons(key, plan)
        if plan.confirm_owner:
            confirmations.create_task(self._confirm_and_send(key, plan, fence))
        else:
            self._send(key, plan, fence)

    def _note_reasons(self, key: Key, plan: Plan) -> None:
        if plan.reasons:
            self.reasons[key] = plan.reasons
        else:
            self.reasons.pop(key, None)

    async def _confirm_and_send(self, key: Key, plan: Plan, fence: Fence) -> None:
        """Adopt only for an owner that, read live, is still the one planned for and not being deleted."""
        view = self._observer.informer.get(key)
        try:
            metadata = (await self._api.get(key)).parse().metadata
        except RollplaneError as exc:
            self._log_failure(key, exc)
            self.queue.failed(key)
            return
        if view is None or metadata.uid != view.uid or is_being_deleted(metadata):
            self.queue.done(key)
        else:
            self._send(key, plan, fence)

    def _send(self, key: Key, plan: Plan, fence: Fence) -> None:
        subject = self._subject(key)
        for event in plan.events:
            self._recorder.emit(subject, event)
        options = WriteOptions(f"{self._reconciler.kind.singular}-controller", fence=fence, omit_object=True)
        sent = [item for write in plan.writes for item in self._writes(key, write, options)]
        waiting = _Waiting(key, plan, sent, subject, len(sent), [None] * len(sent))
        if not sent:
            self._settle(waiting)
            return
        for position, item in enumerate(sent):
            self._submit(waiting, position, item.write)

    def _submit(self, waiting: _Waiting, position: int, write: Write) -> None:
        def answered(future: asyncio.Future[Answer]) -> None:
            if not future.cancelled():
                self._answer(waiting, position, future.result())

        try:
            future = self._writer.submit(write)
        except RollplaneError as exc:
            self._answer(waiting, position, exc)
        else:
            future.add_done_callback(answered)

    def _answer(self, waiting: _Waiting, position: int, answer: Answer) -> None:
        waiting.answers[position] = answer
        waiting.missing -= 1
        if waiting.missing == 0:
            self._settle(waiting)

    def _writes(self, key: Key, write: PlannedWrite, options: WriteOptions) -> list[Sent]:
        """Return what a planned write is on the wire.

        All but deletions hang together in one group: after the first refusal the rest is not attempted, so that a
        quota costs one doomed call and no status tells of a ReplicaSet that could not be made.
        """
        group = str(key)
        match write:
            case CreatePods():
                owner = self._owner(key)
                pods = new_pods(write, owner, key.namespace, self._random)
                return [_creation(pod, options, group) for pod in pods]
            case CreateDistinctPods():
                return [_creation(pod, options, group) for pod in named(write, self._random)]
            case CreateObject():
                return [Sent(Create(Encoded.of(write.object), options, group), write.events)]
            case UpdateObject():
                return [Sent(Update(Encoded.of(write.object), options, group), write.events)]
            case UpdateObjectStatus():
                return [Sent(UpdateStatus(Encoded.of(write.object), options, "" if write.regardless else group))]
            case DeleteObject():
                target = Key(write.kind, write.namespace, write.name)
                preconditions = Preconditions(write.uid, write.resource_version)
                deletion = Delete(target, None, write.propagation, preconditions, options)
                return [Sent(deletion, write.events)]

    def _owner(self, key: Key) -> Owner:
        view = self._observer.informer.get(key)
        return Owner(key.kind, key.name, view.uid if view else "", deleting=False)

    def _subject(self, key: Key) -> ObjectReference:
        view = self._observer.informer.get(key)
        return ObjectReference(
            kind=key.kind.name,
            api_version=key.kind.api_version,
            namespace=key.namespace,
            name=key.name,
            uid=view.uid if view else "",
        )

    def _settle(self, waiting: _Waiting) -> None:
        """All answers are in: shut the gate behind what was written, tell what was done, come back when need be."""
        key = waiting.key
        failures: list[Failure] = []
        for sent, answer in zip(waiting.sent, waiting.answers, strict=True):
            if isinstance(answer, WriteResult):
                self._gates.shut(key, answer.revision)
                for event in sent.events:
                    self._recorder.emit(waiting.subject, event)
            elif answer is not None and not _is_harmless(sent.write, answer):
                failures.append(Failure(sent.write, answer))
                self._tell_failure(waiting.subject, sent.write, answer)
        if failures:
            self._fail(key, failures[0])
            return
        self._failures.pop(key, None)
        self.queue.done(key)
        if waiting.plan.requeue_after is not None:
            self.queue.add_after(key, waiting.plan.requeue_after)

    def _fail(self, key: Key, failure: Failure) -> None:
        error = failure.error
        if isinstance(error, PASSING):
            self.queue.failed(key)
            return
        self._log_failure(key, error)
        self._failures[key] = failure
        if isinstance(error, TerminalError):
            self.queue.done(key)
        else:
            self.queue.failed(key, retry_after_seconds=error.retry_after_seconds or 0.0)

    def _tell_failure(self, subject: ObjectReference, write: Write, failure: RollplaneError) -> None:
        if isinstance(failure, PASSING):
            return
        if isinstance(write, Create) and write.object.kind is POD:
            self._recorder.emit(subject, PlannedEvent("FailedCreate", f"Error creating: {failure}", Severity.WARNING))
        elif isinstance(write, Delete) and write.key.kind is POD:
            self._recorder.emit(subject, PlannedEvent("FailedDelete", f"Error deleting: {failure}", Severity.WARNING))

    def _log_failure(self, key: Key, exc: Exception) -> None:
        known = isinstance(exc, RollplaneError)
        log.warning("not reconciled", extra={"object": str(key), "detail": str(exc)}, exc_info=None if known else exc)


def _creation(pod: Pod, options: WriteOptions, group: str) -> Sent:
    return Sent(Create(Encoded.of(pod), options, group), (_created(pod.metadata.name),))


def _created(name: str) -> PlannedEvent:
    return PlannedEvent("SuccessfulCreate", f"Created pod: {name}")


def _is_harmless(write: Write, answer: RollplaneError) -> bool:
    """Tell whether a refusal needs no attention: gone already, held back by another, or in a namespace that ends."""
    if isinstance(answer, NotAttemptedError):
        return True
    if isinstance(write, Delete | Update | UpdateStatus) and isinstance(answer, NotFoundError):
        return True
    return any(cause.reason is CauseReason.NAMESPACE_TERMINATING for cause in answer.causes)
