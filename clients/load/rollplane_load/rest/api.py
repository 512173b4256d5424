"""A Kubernetes by its REST API as a load needs it: the same writes, lists and watches as a plane over gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from rollplane.meta.v1 import PartialObjectMetadata
from rollplane_client.watching import BRIEF, is_passing
from rollplane_load.rest.connection import Connection
from rollplane_load.rest.forms import Frames, Listed, Told, number_of, read_list, read_object, read_version
from rollplane_machinery.api import (
    Create,
    Delete,
    EventType,
    Evict,
    Key,
    ListQuery,
    Page,
    Patch,
    Preconditions,
    WatchBatch,
    WatchEvent,
    WatchFilter,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.codec import dumps
from rollplane_machinery.errors import ExpiredError, RollplaneError, UnsupportedError
from rollplane_machinery.kinds import Encoded, Kind

PAGE = 500
IN_FLIGHT = 64
"""Writes of a batch under way at once: there is no such call over REST."""
WAITING_BATCHES = 256
"""How far a watch may run ahead of its reader; then it reads no more, and the server has to wait."""
MANAGER = {"fieldManager": "rollplane-load"}
_TYPES = {"ADDED": EventType.ADDED, "MODIFIED": EventType.MODIFIED, "DELETED": EventType.DELETED}


class RestApi:
    """Objects of the built-in kinds. Every call raises RollplaneErrors only.

    ``eviction_version`` is that of policy, v1beta1 for releases before 1.22.
    """

    def __init__(self, connection: Connection, clock: Clock, eviction_version: str = "v1") -> None:
        self._connection = connection
        self._clock = clock
        self._eviction_version = eviction_version

    async def get(self, key: Key) -> Encoded:
        answer = await self._connection.call("GET", _path(key.kind, key.namespace, key.name))
        return read_object(answer.content_type, answer.body, key.kind)

    async def list(self, query: ListQuery) -> Page:
        listed = await self._list(query)
        meta = listed.meta
        return Page(
            listed.objects, number_of(meta.resource_version), getattr(meta, "continue"), meta.remaining_item_count
        )

    async def _list(self, query: ListQuery) -> Listed:
        asked = {
            "limit": str(query.limit or PAGE),
            "continue": query.continue_token,
            "labelSelector": query.label_selector,
            "fieldSelector": query.field_selector,
        }
        params = {name: value for name, value in asked.items() if value}
        answer = await self._connection.call("GET", _path(query.kind, query.namespace), params=params)
        return read_list(answer.content_type, answer.body, query.kind)

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        """As many single writes, IN_FLIGHT of them at a time."""
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(write: Write) -> WriteResult | RollplaneError:
            async with slots:
                try:
                    return await self.write(write)
                except RollplaneError as exc:
                    return exc.as_value()

        return await asyncio.gather(*map(one, writes))

    async def write(self, write: Write) -> WriteResult:
        match write:
            case Create():
                return await self._create(write)
            case Patch():
                return await self._patch(write)
            case Delete():
                return await self._delete(write)
            case Evict():
                return await self._evict(write)
        raise UnsupportedError(f"a load does not {type(write).__name__.lower()} over REST")

    async def _create(self, write: Create) -> WriteResult:
        body = dumps(write.object.parse()).encode()
        path = _path(write.object.kind, write.key.namespace)
        answer = await self._connection.call("POST", path, params=MANAGER, body=body)
        return _result(read_object(answer.content_type, answer.body, write.object.kind))

    async def _patch(self, write: Patch) -> WriteResult:
        path = _path(write.key.kind, write.key.namespace, write.key.name, write.subresource)
        answer = await self._connection.call(
            "PATCH", path, params=MANAGER, body=write.patch, content_type=write.type.value
        )
        if write.subresource:
            return WriteResult(read_version(answer.content_type, answer.body))
        return _result(read_object(answer.content_type, answer.body, write.key.kind))

    async def _delete(self, write: Delete) -> WriteResult:
        """The answer may be a Status, which has no version: when it was made the watch tells."""
        options: dict[str, Any] = _preconditions(write.preconditions)
        if write.propagation is not None:
            options["propagationPolicy"] = write.propagation.value
        if write.grace_period_seconds is not None:
            options["gracePeriodSeconds"] = write.grace_period_seconds
        path = _path(write.key.kind, write.key.namespace, write.key.name)
        await self._connection.call("DELETE", path, body=json.dumps(options).encode())
        return WriteResult(0)

    async def _evict(self, write: Evict) -> WriteResult:
        body = {
            "apiVersion": f"policy/{self._eviction_version}",
            "kind": "Eviction",
            "metadata": {"name": write.key.name, "namespace": write.key.namespace},
            "deleteOptions": _preconditions(write.preconditions),
        }
        path = _path(write.key.kind, write.key.namespace, write.key.name, "eviction")
        await self._connection.call("POST", path, body=json.dumps(body).encode())
        return WriteResult(0)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        """Open a watch of each kind and tell what they tell, as it comes: batches are of one kind each.

        Kinds are not in order with each other. The initial state is complete once all kinds are listed. Raises
        ExpiredError when a server's log no longer reaches back to where one of them is.
        """
        batches: asyncio.Queue[WatchBatch] = asyncio.Queue(WAITING_BATCHES)
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read_all(query, batches))
                async with aclosing(_taken(batches)) as taken:
                    yield taken
                reading.cancel()
        except* RollplaneError as group:
            raise _first(group) from None

    async def _read_all(self, query: WatchQuery, batches: asyncio.Queue[WatchBatch]) -> None:
        revisions = dict.fromkeys(query.filters, query.from_revision)
        if query.send_initial_state:
            for wanted in query.filters:
                revisions[wanted] = await self._tell_state(wanted, batches)
            await batches.put(WatchBatch((), max(revisions.values()), initial_state_complete=True))
        async with asyncio.TaskGroup() as following:
            for wanted in query.filters:
                following.create_task(self._follow(wanted, revisions[wanted], batches))

    async def _tell_state(self, wanted: WatchFilter, batches: asyncio.Queue[WatchBatch]) -> int:
        """Tell what is there of one kind, page by page, and return the version that all of it is of."""
        token = ""
        while True:
            page = await self.list(_query(wanted, token))
            await batches.put(WatchBatch([_event(EventType.ADDED, each) for each in page.objects], 0))
            if not (token := page.continue_token):
                return page.revision

    async def _follow(self, wanted: WatchFilter, revision: int, batches: asyncio.Queue[WatchBatch]) -> None:
        """Tell what changes behind ``revision``; a watch that ends is opened again where it was.

        Only who knows where every kind is can go on so: whoever reads would know one place for all. Raises
        ExpiredError when it cannot.
        """
        failures, lost_at = 0, 0.0
        while True:
            try:
                async with aclosing(self._told(wanted, revision)) as told:
                    async for batch in told:
                        revision, failures = batch.revision, 0
                        await batches.put(batch)
            except RollplaneError as exc:
                lost_at = lost_at if failures else self._clock.monotonic()
                if not is_passing(exc) or self._clock.monotonic() - lost_at > BRIEF.give_up_seconds:
                    raise ExpiredError(f"the watch of {wanted.kind.plural} cannot go on: {exc.message}") from exc
                await self._clock.sleep(max(BRIEF.backoff.seconds(failures), exc.retry_after_seconds or 0.0))
                failures += 1

    async def _told(self, wanted: WatchFilter, revision: int) -> AsyncGenerator[WatchBatch, None]:
        asked = {
            "watch": "true",
            "resourceVersion": str(revision),
            "allowWatchBookmarks": "true",
            "labelSelector": wanted.label_selector,
            "fieldSelector": wanted.field_selector,
        }
        params = {name: value for name, value in asked.items() if value}
        path = _path(wanted.kind, wanted.namespaces[0] if wanted.namespaces else "")
        async with self._connection.stream(path, params) as (content_type, pieces):
            frames = Frames(content_type, wanted.kind)
            async for piece in pieces:
                if told := frames.take(piece):
                    yield _batch(told)


def _batch(told: Sequence[Told]) -> WatchBatch:
    """Return what was told; raises the error that the server told instead."""
    events, revision = [], 0
    for each in told:
        if each.object is None:
            raise each.error or UnsupportedError("a watch told of an error without saying which")
        event = _event(_TYPES.get(each.type, EventType.MODIFIED), each.object)
        revision = event.revision
        if each.type in _TYPES:
            events.append(event)
    return WatchBatch(events, revision)


async def _taken(batches: asyncio.Queue[WatchBatch]) -> AsyncGenerator[WatchBatch, None]:
    while True:
        yield await batches.get()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _event(type_: EventType, found: Encoded) -> WatchEvent:
    return WatchEvent(type_, found, _version(found))


def _result(found: Encoded) -> WriteResult:
    return WriteResult(_version(found), found)


def _version(found: Encoded) -> int:
    return number_of(found.read_as(PartialObjectMetadata).metadata.resource_version)


def _query(wanted: WatchFilter, token: str) -> ListQuery:
    namespace = wanted.namespaces[0] if wanted.namespaces else ""
    return ListQuery(wanted.kind, namespace, wanted.label_selector, wanted.field_selector, continue_token=token)


def _preconditions(given: Preconditions) -> dict[str, Any]:
    told = {"uid": given.uid, "resourceVersion": given.resource_version}
    asked = {name: value for name, value in told.items() if value is not None}
    return {"preconditions": asked} if asked else {}


def _path(kind: Kind, namespace: str, *more: str) -> str:
    parts = ["apis", kind.group, kind.version] if kind.group else ["api", kind.version]
    if namespace and kind.namespaced:
        parts += ["namespaces", namespace]
    return "/" + "/".join([*parts, kind.plural, *filter(None, more)])
