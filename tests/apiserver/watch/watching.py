"""Watching, as the tests of this room do it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from rollplane_machinery.api import EventType, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.kinds import Kind


def watching(
    kind: Kind, *, since: int = 0, initial: bool = False, metadata_only: bool = False, **narrow: object
) -> WatchQuery:
    """Return a watch of one kind; ``narrow`` is what a WatchFilter takes."""
    return WatchQuery((WatchFilter(kind, metadata_only=metadata_only, **narrow),), since, initial)  # type: ignore[arg-type]


def shown(batch: WatchBatch) -> list[tuple[str, str]]:
    """Return the type and the object's name of each event."""
    return [(event.type.name, event.object.parse().metadata.name) for event in batch.events]


async def until(batches: AsyncIterator[WatchBatch], revision: int) -> list[tuple[str, str]]:
    """Read until the watch has examined ``revision``; return what it told."""
    told: list[tuple[str, str]] = []
    async for batch in batches:
        told += shown(batch)
        if batch.revision >= revision:
            return told
    raise AssertionError("the watch ended")


@dataclass
class Replica:
    """What a client knows that follows a watch: objects by (resource, namespace, name), each as bytes."""

    objects: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    revision: int = 0
    last_event: int = 0

    def apply(self, batch: WatchBatch, *, initial: bool = False) -> None:
        """Take a batch in; fails when an event is repeated, out of order or makes no sense."""
        for event in batch.events:
            meta = event.object.parse().metadata
            key = (event.object.kind.resource, meta.namespace, meta.name)
            assert meta.resource_version == str(event.revision)
            if not initial:
                assert event.revision > self.last_event, "repeated or reordered"
                self.last_event = event.revision
            assert (key in self.objects) is not (event.type is EventType.ADDED), f"{event.type} of {key}"
            if event.type is EventType.DELETED:
                del self.objects[key]
            else:
                self.objects[key] = event.object.value
        assert batch.revision == 0 or batch.revision >= max(self.revision, self.last_event)
        self.revision = max(self.revision, batch.revision)

    async def follow(self, batches: AsyncIterator[WatchBatch], revision: int, *, initial: bool = False) -> None:
        """Read until ``revision`` has been examined."""
        async for batch in batches:
            self.apply(batch, initial=initial)
            initial = initial and not batch.initial_state_complete
            if not initial and self.revision >= revision:
                return
        raise AssertionError("the watch ended")
