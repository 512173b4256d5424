"""Which of the writes that wait leaves next: pure bookkeeping of the batch writer, without a wait of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from rollplane_client.identity import written_key
from rollplane_machinery.api import Create, Key, Patch, Update, UpdateStatus, Write, WriteResult
from rollplane_machinery.errors import RollplaneError

EVENTS_BESIDE_WRITES = 8
"""Most events that leave in a batch with ordinary writes."""

Answer = WriteResult | RollplaneError


@dataclass(slots=True, eq=False)
class Item:
    """A write on its way to an answer; ``answer`` is None for events, whose answers nobody awaits.

    ``unclear`` is set once a sending may have been committed; ``failures`` counts sendings that were not answered.
    """

    write: Write
    key: Key | None
    size: int
    answer: asyncio.Future[Answer] | None
    on_its_way: bool = False
    unclear: bool = False
    failures: int = 0


def item_of(write: Write, answer: asyncio.Future[Answer] | None) -> Item:
    """Return ``write`` ready to be lined up; raises BadRequestError when its object cannot be read.

    Events, and creates whose name the server generates, need no order and get no key.
    """
    key = None if answer is None else written_key(write)
    return Item(write, key if key is not None and key.name else None, _size(write), answer)


class Lanes:
    """Items ready to leave; items behind an earlier write to the same object; batches to repeat; events, with time.

    ``batch_writes`` and ``batch_bytes`` bound what leaves together.
    """

    def __init__(self, batch_writes: int, batch_bytes: int) -> None:
        self._batch_writes = batch_writes
        self._batch_bytes = batch_bytes
        self._ready: deque[Item] = deque()
        self._repeats: deque[list[Item]] = deque()
        self._behind: dict[Key, deque[Item]] = {}
        self._events: deque[Item] = deque()

    def __bool__(self) -> bool:
        """Return whether anything may leave now."""
        return bool(self._repeats or self._ready or self._events)

    @property
    def events(self) -> int:
        """How many events wait."""
        return len(self._events)

    def add(self, item: Item) -> None:
        """Make ``item`` ready, or line it up behind the earlier writes to its object."""
        if item.key is None:
            self._ready.append(item)
        elif (behind := self._behind.get(item.key)) is not None:
            behind.append(item)
        else:
            self._behind[item.key] = deque()
            self._ready.append(item)

    def add_event(self, item: Item) -> None:
        """Line up an item that leaves when others leave room."""
        self._events.append(item)

    def put_back(self, items: list[Item]) -> None:
        """Let items that have left together leave again, before all others, together and in their order.

        Nothing is added to them and they are never cut: a group among them is whole again as it was the first time.
        """
        if items:
            self._repeats.append(items)

    def release(self, item: Item) -> None:
        """Let the next write to the object of ``item`` go, now that ``item`` is answered."""
        if item.key is None:
            return
        behind = self._behind[item.key]
        if behind:
            self._ready.append(behind.popleft())
        else:
            del self._behind[item.key]

    def depart(self) -> list[Item]:
        """Take what leaves next: a batch to repeat, else ordinary writes first, then events as far as there is room.

        Beside ordinary writes only a few events leave: under load each would cost as much as a write that somebody
        waits for. They catch up as soon as nothing else waits.
        """
        if self._repeats:
            return self._repeats.popleft()
        batch: list[Item] = []
        size = 0
        for lane, most in ((self._ready, self._batch_writes), (self._events, self._event_room())):
            while lane and len(batch) < self._batch_writes and most > 0:
                if batch and size + lane[0].size > self._batch_bytes:
                    break
                size += lane[0].size
                batch.append(lane.popleft())
                most -= 1
        return batch

    def _event_room(self) -> int:
        return EVENTS_BESIDE_WRITES if self._ready else self._batch_writes


def _size(write: Write) -> int:
    """Return about how many bytes ``write`` takes in a batch; names and options are taken as 256."""
    if isinstance(write, Create | Update | UpdateStatus):
        return len(write.object.value) + 256
    return len(write.patch) + 256 if isinstance(write, Patch) else 256
