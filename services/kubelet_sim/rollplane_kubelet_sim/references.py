"""The ConfigMaps and Secrets that pods refer to: which are there, and with which keys; never what the keys hold.

They are watched only while a pod of the fleet refers to any. Values are dropped as they come in, so that no Secret is
held or can be logged, and a change of values alone is no news.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from rollplane.core.v1 import ConfigMap, Pod, Secret
from rollplane_client.informer import Informer
from rollplane_kubelet_sim.stages.references import KeyNames, Missing, has_references, missing_of
from rollplane_machinery.api import EventType, Key, WatchApi, WatchBatch, WatchEvent, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import CONFIG_MAP, SECRET, Encoded


class References:
    """What the pods of one fleet refer to.

    ``changed`` is called when what ``missing`` has told, or could not tell, may have another answer now.
    """

    def __init__(self, api: WatchApi, changed: Callable[[], None], *, clock: Clock) -> None:
        self._api = api
        self._changed = changed
        self._clock = clock
        self._pods: set[Key] = set()
        self._has_news = False
        self._moved = asyncio.Event()
        self._informer: Informer[KeyNames] | None = None

    # What the keeper asks.

    def concern(self, key: Key, pod: Pod) -> bool:
        """Take note of a pod; tell whether it refers to anything."""
        if not has_references(pod):
            return False
        self._pods.add(key)
        self._moved.set()
        return True

    def forget(self, key: Key) -> None:
        """The pod is gone."""
        if key in self._pods:
            self._pods.discard(key)
            self._moved.set()

    def missing(self, pod: Pod) -> Missing | None:
        """Return what is not there of what ``pod`` refers to; None when that cannot be told yet."""
        informer = self._informer
        if informer is None or not informer.synced.is_set():
            return None
        found = missing_of(pod, informer.get)
        # What was made before the pod was bound must have been seen before anything is called missing.
        if found and informer.revision < int(pod.metadata.resource_version or 0):
            self._has_news = True
            return None
        return found

    # Watching.

    async def run(self) -> None:
        """Watch while any pod refers to something, until cancelled."""
        while True:
            await self._until(lambda: bool(self._pods))
            self._informer = informer = self._watch()
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(informer.run())
                await self._until(lambda: not self._pods)
                watching.cancel()
            self._informer = None

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._moved.clear()
            await self._moved.wait()

    def _watch(self) -> Informer[KeyNames]:
        filters = [WatchFilter(CONFIG_MAP), WatchFilter(SECRET)]
        informer: Informer[KeyNames] = Informer(WithoutValues(self._api), filters, _key_names, clock=self._clock)
        for kind in (CONFIG_MAP, SECRET):
            informer.add_handler(kind, self._note_news)
        informer.on_progress(self._tell_news)
        self._has_news = True
        return informer

    def _note_news(self, _type: EventType, _key: Key, _old: KeyNames | None, _new: KeyNames | None) -> None:
        self._has_news = True

    def _tell_news(self, _revision: int) -> None:
        if self._has_news:
            self._has_news = False
            self._changed()


class WithoutValues:
    """Watches of ConfigMaps and Secrets in which every value is empty."""

    def __init__(self, api: WatchApi) -> None:
        self._api = api

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async with self._api.watch(query) as batches:
            yield (replace(batch, events=[_emptied(event) for event in batch.events]) async for batch in batches)


def _emptied(event: WatchEvent) -> WatchEvent:
    """Return the event with nothing of its object but its name and the names of its keys."""
    named = event.object.parse()
    bare = type(named)()
    bare.metadata.namespace, bare.metadata.name = named.metadata.namespace, named.metadata.name
    if isinstance(named, ConfigMap) and isinstance(bare, ConfigMap):
        bare.data.update(dict.fromkeys(named.data, ""))
        bare.binary_data.update(dict.fromkeys(named.binary_data, b""))
    elif isinstance(named, Secret) and isinstance(bare, Secret):
        bare.data.update(dict.fromkeys(named.data, b""))
    return replace(event, object=Encoded.of(bare))


def _key_names(encoded: Encoded) -> KeyNames:
    if encoded.kind is SECRET:
        return KeyNames(frozenset(encoded.read_as(Secret).data))
    config_map = encoded.read_as(ConfigMap)
    return KeyNames(frozenset(config_map.data), frozenset(config_map.binary_data))
