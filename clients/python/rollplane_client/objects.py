"""Typed conveniences for people: messages in, messages out, one line for each thing one wants to do.

Controllers, which want bytes and batches, use the Api itself, and an informer where a watch must not end.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from rollplane_client.applying import live_object, write_to_apply
from rollplane_client.grpc_api import connect as connect_api
from rollplane_client.typed import kind_of, parse
from rollplane_machinery.api import (
    Api,
    Create,
    Delete,
    EventType,
    Key,
    ListQuery,
    Propagation,
    Revision,
    RolloutStatus,
    Scale,
    SetImage,
    Undone,
    Update,
    WatchFilter,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.codec import Manifest, load_manifests
from rollplane_machinery.codec.manifests import written_of
from rollplane_machinery.errors import InternalError
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.kinds import kind_of as of_message

M = TypeVar("M", bound=ApiObject)


@dataclass(frozen=True, slots=True)
class Event(Generic[M]):
    """One change seen by a watch; of a deleted object its last content."""

    type: EventType
    object: M
    revision: int


@asynccontextmanager
async def connect(address: str, *, role: str = "editor", name: str = "") -> AsyncIterator[Client]:
    """Open a client of the apiserver at ``address`` (``host:port``); ``name`` is put down as field manager.

    The server is first spoken to by the first call. Leaving the context closes everything.
    """
    async with connect_api(address, role=role, name=name) as api:
        yield Client(api, field_manager=name)


class Client:
    """Objects as messages over any Api. Every call raises RollplaneError and nothing else."""

    def __init__(self, api: Api, *, field_manager: str = "") -> None:
        self.api = api
        self._options = WriteOptions(field_manager=field_manager)

    async def get(self, message_type: type[M], namespace: str, name: str) -> M:
        """Return the object as stored now; raises NotFoundError. ``namespace`` is "" for cluster-scoped kinds."""
        return parse(message_type, await self.api.get(_key(message_type, namespace, name)))

    async def list(
        self, message_type: type[M], namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> list[M]:
        """Return all objects that match, in the order of namespace and name; "" means all namespaces."""
        found: list[M] = []
        token = ""
        while True:
            page = await self.api.list(
                ListQuery(kind_of(message_type), namespace, label_selector, field_selector, continue_token=token)
            )
            found += [parse(message_type, encoded) for encoded in page.objects]
            token = page.continue_token
            if not token:
                return found

    async def create(self, message: M) -> M:
        """Store a new object and return it as stored; raises AlreadyExistsError, InvalidError."""
        return await self._stored(type(message), Create(Encoded.of(message), self._options))

    async def create_yaml(self, text: str) -> Sequence[ApiObject]:
        """Create every object in ``text`` (YAML or JSON, any number of documents) and return them as stored.

        Stops at the first that fails and raises what refused it; those before it stay.
        """
        return [await self.create(manifest.object) for manifest in load_manifests(text)]

    async def apply(self, message: M) -> M:
        """Create the object, or bring the one that is there to what ``message`` says, and return it as stored.

        As ``kubectl apply`` does: fields that the last apply set and this one does not are removed, what others wrote
        stays. Raises InvalidError, BadRequestError.
        """
        manifest = Manifest(message, 1, 1, written=written_of(message))
        return parse(type(message), Encoded.of(await self.apply_manifest(manifest)))

    async def apply_yaml(self, text: str, namespace: str = "default") -> Sequence[ApiObject]:
        """Apply every object in ``text`` (YAML or JSON) and return them as stored; a null removes the field.

        Objects that name no namespace go to ``namespace``. Stops at the first that fails and raises what refused it;
        those before it stay.
        """
        manifests = load_manifests(text)
        for manifest in manifests:
            if of_message(manifest.object).namespaced and not manifest.object.metadata.namespace:
                manifest.object.metadata.namespace = namespace
        return [await self.apply_manifest(manifest) for manifest in manifests]

    async def update(self, message: M) -> M:
        """Replace all but the status and return what is stored then.

        Raises ConflictError when somebody has changed the object since ``message`` was read.
        """
        return await self._stored(type(message), Update(Encoded.of(message), self._options))

    async def delete(
        self, message_type: type[M], namespace: str, name: str, *, propagation: Propagation | None = None
    ) -> WriteResult:
        """Remove an object, or begin to; raises NotFoundError."""
        key = _key(message_type, namespace, name)
        return await self.api.write(Delete(key, propagation=propagation, options=self._options))

    @asynccontextmanager
    async def watch(
        self, message_type: type[M], namespace: str = "", *, label_selector: str = "", field_selector: str = ""
    ) -> AsyncIterator[AsyncIterator[Event[M]]]:
        """Open a watch: first the present objects as ADDED, then every change, each exactly once.

        The iterator raises UnavailableError when the server goes away and ExpiredError when it is read too slowly:
        an informer goes on in both cases.
        """
        namespaces = (namespace,) if namespace else ()
        wanted = WatchFilter(kind_of(message_type), namespaces, label_selector, field_selector)
        async with self.api.watch(WatchQuery((wanted,), send_initial_state=True)) as batches:

            async def events() -> AsyncGenerator[Event[M], None]:
                async for batch in batches:
                    for event in batch.events:
                        yield Event(event.type, parse(message_type, event.object), event.revision)

            async with aclosing(events()) as stream:
                yield stream

    async def set_image(
        self,
        message_type: type[M],
        namespace: str,
        name: str,
        images: Mapping[str, str],
        *,
        change_cause: str | None = None,
    ) -> M:
        """Change images by container name ("*" names all) and return the workload; raises InvalidError."""
        key = _key(message_type, namespace, name)
        return _object(message_type, await self.api.set_image(SetImage(key, images, change_cause, self._options)))

    async def scale(self, message_type: type[M], namespace: str, name: str, replicas: int) -> None:
        """Set how many replicas a workload is to have."""
        await self.api.scale(Scale(_key(message_type, namespace, name), replicas, options=self._options))

    async def pause(self, message_type: type[M], namespace: str, name: str) -> M:
        """Freeze a rollout and return the workload; raises InvalidError when it is paused already."""
        return _object(message_type, await self.api.pause(_key(message_type, namespace, name), self._options))

    async def resume(self, message_type: type[M], namespace: str, name: str) -> M:
        """Let a paused rollout go on and return the workload; raises InvalidError when it is not paused."""
        return _object(message_type, await self.api.resume(_key(message_type, namespace, name), self._options))

    async def restart(self, message_type: type[M], namespace: str, name: str) -> M:
        """Replace all pods, one rollout's worth at a time, and return the workload."""
        return _object(message_type, await self.api.restart(_key(message_type, namespace, name), self._options))

    async def history(self, message_type: type[M], namespace: str, name: str) -> Sequence[Revision]:
        """Return the revisions one can go back to, oldest first."""
        return await self.api.history(_key(message_type, namespace, name))

    async def undo(self, message_type: type[M], namespace: str, name: str, to_revision: int = 0) -> Undone:
        """Bring back an earlier revision's template; 0 means the one before. Raises NotFoundError, InvalidError."""
        return await self.api.undo(_key(message_type, namespace, name), to_revision, self._options)

    def rollout_status(
        self, message_type: type[M], namespace: str, name: str
    ) -> AbstractAsyncContextManager[AsyncIterator[RolloutStatus]]:
        """Open a stream of looks at a rollout; the last one says DONE or FAILED."""
        return self.api.rollout_status(_key(message_type, namespace, name))

    async def apply_manifest(self, manifest: Manifest) -> ApiObject:
        """As ``apply``, of what a file says; a null removes the field."""
        metadata, kind = manifest.object.metadata, of_message(manifest.object)
        key = Key(kind, metadata.namespace, metadata.name)
        live = await live_object(self.api, key)
        write = write_to_apply(key, manifest, live, self._options)
        if write is None:
            return manifest.object if live is None else live
        result = await self.api.write(write)
        if result.object is None:
            raise InternalError("the answer to a write holds no object")
        return result.object.parse()

    async def _stored(self, message_type: type[M], write: Write) -> M:
        return _object(message_type, await self.api.write(write))


def _key(message_type: type[M], namespace: str, name: str) -> Key:
    return Key(kind_of(message_type), namespace, name)


def _object(message_type: type[M], result: WriteResult) -> M:
    if result.object is None:
        raise InternalError("the answer to a write holds no object")
    return parse(message_type, result.object)
