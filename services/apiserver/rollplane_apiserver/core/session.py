"""The ``Api`` as one caller may use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from rollplane_apiserver.core.apply import ApplyStep
from rollplane_apiserver.core.bind import BindStep
from rollplane_apiserver.core.create import CreateStep
from rollplane_apiserver.core.custom_door import names_custom
from rollplane_apiserver.core.delete import DeleteStep
from rollplane_apiserver.core.edit import EditStep
from rollplane_apiserver.core.engine import Engine
from rollplane_apiserver.core.evict import EvictStep
from rollplane_apiserver.core.identity import Identity, Role, check_fence
from rollplane_apiserver.core.patch import PatchStep
from rollplane_apiserver.core.step import RefusedStep, Step
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.core.update import StatusStep, UpdateStep
from rollplane_apiserver.rollout.edit import Change
from rollplane_apiserver.rollout.rollouts import Rollouts
from rollplane_apiserver.watch.entry import Entry
from rollplane_apiserver.watch.slice import Slice
from rollplane_machinery.api import (
    Bind,
    Create,
    Delete,
    DeleteCollection,
    DeletedCollection,
    Evict,
    Fence,
    Key,
    ListQuery,
    Page,
    Patch,
    PatchType,
    Preconditions,
    Scale,
    Unreadable,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RequestTooLargeError,
    RollplaneError,
)
from rollplane_machinery.kinds import ApiObject, Encoded, metadata_of

_DELETE_BATCH = 256


class Session(Rollouts):
    """All of ``Api``, in the name of ``identity``."""

    def __init__(self, engine: Engine, identity: Identity) -> None:
        super().__init__(self, engine.clock, engine.turns)
        self._engine = engine
        self._identity = identity

    async def get(self, key: Key) -> Encoded:
        return (await self.entry(key)).encoded

    async def entry(self, key: Key) -> Entry:
        return await self._engine.reads.entry(await self._engine.custom_door.key(key) if key.kind.is_custom else key)

    async def list(self, query: ListQuery) -> Page:
        if query.kind.is_custom:
            query = replace(query, kind=await self._engine.custom_door.kind(query.kind))
        return await self._engine.reads.list(query)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        if any(each.kind.is_custom for each in query.filters):
            query = replace(query, filters=await self._engine.custom_door.filters(query.filters))
        async with self._engine.reads.watch(query) as batches:
            yield batches

    async def write(self, write: Write) -> WriteResult:
        if names_custom(write):
            write = await self._engine.custom_door.write(write)
        return await self._engine.pipeline.write(self._step(write))

    async def edit(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> WriteResult:
        key = await self._engine.custom_door.key(key) if key.kind.is_custom else key
        return await self._engine.pipeline.write(self._editing(key, change, options, subresource))

    async def scale(self, request: Scale) -> WriteResult:
        if request.key.kind.is_custom:
            request = replace(request, key=await self._engine.custom_door.key(request.key))
        return await super().scale(request)

    async def made_before(self, key: Key, options: WriteOptions) -> WriteResult | None:
        return await self._engine.pipeline.made_before(self._editing(key, _no_change, options))

    async def batch(self, writes: Sequence[Write | Unreadable]) -> Sequence[WriteResult | RollplaneError]:
        """As ``Api.batch``; a write that could not be read is refused in its place."""
        self._check_size(writes)
        if any(map(names_custom, writes)):
            writes = await self._engine.custom_door.writes(writes)
        return await self._engine.pipeline.batch([(self._step_or_refusal(write), write.group) for write in writes])

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        """Delete what matched at one revision; what is gone or was replaced meanwhile is not counted.

        Everything is tried; then the first failure is raised, if there was one.
        """
        deletions = await self._deletions(request)
        deleted, revision = 0, 0
        failures: list[RollplaneError] = []
        for at in range(0, len(deletions), _DELETE_BATCH):
            for result in await self.batch(deletions[at : at + _DELETE_BATCH]):
                if isinstance(result, WriteResult):
                    deleted, revision = deleted + 1, max(revision, result.revision)
                elif not isinstance(result, NotFoundError | ConflictError):
                    failures.append(result)
        if failures:
            raise failures[0]
        return DeletedCollection(deleted, revision)

    async def raise_fence(self, fence: Fence) -> None:
        if self._identity.role is not Role.CONTROLLER:
            raise ForbiddenError(f"{self._identity.name} is no controller and must not raise a fence")
        await self._engine.store.raise_fence(fence)

    async def _deletions(self, request: DeleteCollection) -> Sequence[Delete]:
        query = ListQuery(request.kind, request.namespace, request.label_selector, request.field_selector)
        deletions: list[Delete] = []
        while True:
            page = await self.list(query)
            turn = Slice(0)
            for found in page.objects:
                deletions.append(_deletion(request, found))
                if turn.is_over():
                    await asyncio.sleep(0)
                    turn = Slice(0)
            if not page.continue_token:
                return deletions
            query = replace(query, continue_token=page.continue_token)

    def _check_size(self, writes: Sequence[Write | Unreadable]) -> None:
        settings = self._engine.settings
        if len(writes) > settings.max_batch_writes:
            raise RequestTooLargeError(
                f"{len(writes)} writes in a batch, at most {settings.max_batch_writes} are taken"
            )
        size = sum(map(_size, writes))
        if size > settings.max_batch_bytes:
            raise RequestTooLargeError(f"a batch of {size} bytes, at most {settings.max_batch_bytes} are taken")

    def _editing(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> Step:
        check_fence(self._identity, key.kind, options.fence)
        return EditStep(key, change, options, self._engine.tools, subresource)

    def _step_or_refusal(self, write: Write | Unreadable) -> Step:
        if isinstance(write, Unreadable):
            return RefusedStep(write.error)
        try:
            return self._step(write)
        except RollplaneError as exc:
            return RefusedStep(exc)

    def _step(self, write: Write) -> Step:
        """Return the step that carries out ``write``; raises what is wrong before anything is looked at."""
        step = _step_of(write, self._engine.tools)
        check_fence(self._identity, step.key.kind, write.options.fence)
        return step


def _step_of(write: Write, tools: Tools) -> Step:
    match write:
        case Create():
            return CreateStep(write, tools)
        case Update():
            return UpdateStep(write, tools)
        case UpdateStatus():
            return StatusStep(write, tools)
        case Patch(type=PatchType.APPLY):
            return ApplyStep(write, tools)
        case Patch():
            return PatchStep(write, tools)
        case Delete():
            return DeleteStep(write, tools)
        case Bind():
            return BindStep(write, tools)
        case Evict():
            return EvictStep(write, tools)


def _deletion(request: DeleteCollection, found: Encoded) -> Delete:
    uid = metadata_of(found.value).uid
    # One token cannot name many deletions, and none is needed: each names the uid it was meant for.
    options = replace(request.options, omit_object=True, token=None, repeat=False)
    return Delete(found.key, request.grace_period_seconds, request.propagation, Preconditions(uid=uid), options)


def _no_change(_: ApiObject) -> None:
    """Where only the token is asked about."""


def _size(write: Write | Unreadable) -> int:
    match write:
        case Create() | Update() | UpdateStatus():
            return len(write.object.value)
        case Patch():
            return len(write.patch)
        case _:
            return 0
