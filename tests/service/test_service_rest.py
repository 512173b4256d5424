"""A process packs what has come to rest, a little at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from rollplane_machinery.clock import FakeClock
from rollplane_service import rest
from rollplane_service.rest import SLICE, TURN_SECONDS, keep_packed


class Shelf:
    """A cache that tells what it was asked to pack, and when."""

    def __init__(self, clock: FakeClock, turns: Sequence[Sequence[int]]) -> None:
        self._clock = clock
        self._turns = list(turns)
        self.packed: list[tuple[float, int]] = []

    def settled(self) -> Sequence[int]:
        return self._turns.pop(0) if self._turns else ()

    def pack(self, key: int) -> None:
        self.packed.append((self._clock.monotonic(), key))


async def test_each_turn_packs_what_has_settled_in_slices() -> None:
    clock = FakeClock()
    shelf = Shelf(clock, [(), range(SLICE + 1)])
    async with asyncio.TaskGroup() as tasks:
        packing = tasks.create_task(keep_packed(shelf, clock))
        await clock.advance(0)
        await clock.advance(TURN_SECONDS)
        assert [key for _, key in shelf.packed] == list(range(SLICE))
        await clock.advance(1)
        assert [key for _, key in shelf.packed] == list(range(SLICE + 1))
        assert shelf.packed[-1][0] > shelf.packed[0][0], "others had the loop in between"
        packing.cancel()


async def test_memory_is_given_back_after_many(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, given = FakeClock(), []
    monkeypatch.setattr(rest, "MANY", 2)
    monkeypatch.setattr(rest, "give_back", lambda: given.append(clock.monotonic()))
    async with asyncio.TaskGroup() as tasks:
        packing = tasks.create_task(keep_packed(Shelf(clock, [(1,), (1, 2)]), clock))
        await clock.advance(1)
        assert not given
        await clock.advance(TURN_SECONDS + 1)
        assert len(given) == 1
        packing.cancel()


def test_giving_back_is_safe_on_any_system() -> None:
    rest.give_back()
