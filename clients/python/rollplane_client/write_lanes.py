"""Which of the writes that wait leaves next: pure bookkeeping of the batch writer, without a wait of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from rollplane_machinery.api import Create, Key, Patch, Update, UpdateStatus, Write, WriteResult
from rollplane_machinery.errors import RollplaneError

EVENTS_BESIDE_WRITES = 8
"""Most events that leave in a batch with ordinary writes."""

Answer = WriteResult | RollplaneError


@dataclass(slots=True, eq=False)
class Item:
    """A write on its way to an answer; ``answer`` is None for events, whose answers nobody awaits.

    ``unclear_since`` is when a sending left that may have been committed, None while none may; ``refused_since`` is
    since when every sending was answered by saying that it was not tried; ``failures`` counts sendings that were not
    answered for certain.
    """

    write: Write
    key: Key | None
    size: int
    answer: asyncio.Future[Answer] | None
    on_its_way: bool = False
    unclear_since: float | None = None
    refused_since: float | None = None
    failures: int = 0


def item_of(write: Write, answer: asyncio.Future[Answer] | None) -> Item:
    """Return ``write`` ready to be lined up; raises BadRequestError when its object cannot be read.

    Events, and creates whose name the server generates, need no order and get no key.
    """
    key = None if answer is None else write.key
    return Item(write, key if key is not None and key.name else None, _size(write), answer)


@dataclass(slots=True, eq=False)
class Unit:
    """Items that leave together, in their order: a group, or a single one. ``held`` counts those that may not leave."""

    items: list[Item]
    held: int = 0


class Lanes:
    """Units ready to leave; items behind an earlier write to the same object; batches to repeat; events, with time.

    A group leaves when all of it may: sent without the one that is held back, the rest would be carried out although
    that one is refused later. ``batch_writes`` and ``batch_bytes`` bound what leaves together; a group above them is
    cut.
    """

    def __init__(self, batch_writes: int, batch_bytes: int) -> None:
        self._batch_writes = batch_writes
        self._batch_bytes = batch_bytes
        self._ready: deque[Unit] = deque()
        self._repeats: deque[list[Item]] = deque()
        self._owners: dict[Key, Unit] = {}
        """Whose item is the first of its object, on its way or next to go."""
        self._behind: dict[Key, deque[tuple[Item, Unit]]] = {}
        self._open: Unit | None = None
        """The group that was added to last and has not left."""
        self._events: deque[Item] = deque()

    def __bool__(self) -> bool:
        """Return whether anything may leave now."""
        return bool(self._repeats or self._ready or self._events)

    @property
    def events(self) -> int:
        """How many events wait."""
        return len(self._events)

    def add(self, item: Item) -> None:
        """Make ``item`` ready, or line it up behind the earlier writes to its object, and its group with it."""
        unit = self._unit_of(item)
        if item.key is not None and item.key in self._owners:
            self._behind.setdefault(item.key, deque()).append((item, unit))
            self._hold(unit)
        elif item.key is not None:
            self._owners[item.key] = unit

    def _unit_of(self, item: Item) -> Unit:
        """Return the unit that ``item`` now belongs to.

        Only the group added to last grows, and not by a second write to one of its objects: so what a unit waits for
        was always there before it, and no two wait for each other.
        """
        group, unit = item.write.group, self._open
        if group and unit is not None and unit.items[0].write.group == group and not self._waits_for(item, unit):
            unit.items.append(item)
            return unit
        unit = Unit([item])
        self._ready.append(unit)
        if group:
            self._open = unit
        return unit

    def _waits_for(self, item: Item, unit: Unit) -> bool:
        if item.key is None or item.key not in self._owners:
            return False
        return self._owners[item.key] is unit or any(other is unit for _, other in self._behind.get(item.key, ()))

    def _hold(self, unit: Unit) -> None:
        if not unit.held:
            self._ready.remove(unit)
        unit.held += 1

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
        behind = self._behind.get(item.key)
        if behind is None:
            del self._owners[item.key]
            return
        _, unit = behind.popleft()
        if not behind:
            del self._behind[item.key]
        self._owners[item.key] = unit
        unit.held -= 1
        if not unit.held:
            self._ready.append(unit)

    def depart(self) -> list[Item]:
        """Take what leaves next: a batch to repeat, else ordinary writes first, then events as far as there is room.

        Beside ordinary writes only a few events leave: under load each would cost as much as a write that somebody
        waits for. They catch up as soon as nothing else waits.
        """
        if self._repeats:
            return self._repeats.popleft()
        room = EVENTS_BESIDE_WRITES if self._ready else self._batch_writes
        batch = _Batch(self._batch_writes, self._batch_bytes)
        while self._ready and batch.takes(self._ready[0]):
            self._leaves(self._ready[0], batch)
        while self._events and room and batch.takes_item(self._events[0]):
            batch.add(self._events.popleft())
            room -= 1
        return batch.items

    def _leaves(self, unit: Unit, batch: _Batch) -> None:
        """Move a unit into ``batch``, or as much as it holds of one that no batch holds."""
        if unit is self._open:
            self._open = None
        unit.items = batch.fill(unit.items)
        if not unit.items:
            self._ready.popleft()


class _Batch:
    """What leaves together, within bounds."""

    def __init__(self, most_items: int, most_bytes: int) -> None:
        self.items: list[Item] = []
        self._most_items = most_items
        self._room = most_bytes

    def takes(self, unit: Unit) -> bool:
        """Return whether ``unit`` may leave with this batch: whole, or first of all."""
        if not self.items:
            return True
        is_small = len(self.items) + len(unit.items) <= self._most_items
        return is_small and sum(item.size for item in unit.items) <= self._room

    def takes_item(self, item: Item) -> bool:
        return not self.items or (len(self.items) < self._most_items and item.size <= self._room)

    def add(self, item: Item) -> None:
        self.items.append(item)
        self._room -= item.size

    def fill(self, items: list[Item]) -> list[Item]:
        """Take as many of ``items`` as there is room for, and return the others."""
        taken = 0
        while taken < len(items) and self.takes_item(items[taken]):
            self.add(items[taken])
            taken += 1
        return items[taken:]


def _size(write: Write) -> int:
    """Return about how many bytes ``write`` takes in a batch; names and options are taken as 256."""
    if isinstance(write, (Create, Update, UpdateStatus)):
        return len(write.object.value) + 256
    return len(write.patch) + 256 if isinstance(write, Patch) else 256
