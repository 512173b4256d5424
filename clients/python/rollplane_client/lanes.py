"""A queue with a lane for each urgency: the most urgent lane that is not empty goes first."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Lanes(Generic[T]):
    """First in, first out, among things that are equally urgent."""

    def __init__(self) -> None:
        self._lanes: dict[int, deque[T]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, item: T, urgency: int) -> None:
        """Put ``item`` behind those that are as urgent; more is sooner."""
        lane = self._lanes.get(urgency)
        if lane is None:
            lane = self._lanes[urgency] = deque()
        lane.append(item)
        self._count += 1

    def popleft(self) -> T:
        """Take out what is next; raises IndexError when there is nothing."""
        if not self._count:
            raise IndexError("all lanes are empty")
        urgency = max(self._lanes)
        item = self._lanes[urgency].popleft()
        if not self._lanes[urgency]:
            del self._lanes[urgency]
        self._count -= 1
        return item

    def clear(self) -> None:
        """Take out everything."""
        self._lanes.clear()
        self._count = 0
