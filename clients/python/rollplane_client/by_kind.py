"""What is kept for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rollplane_machinery.kinds import ANY_CUSTOM, Kind

V = TypeVar("V")


class ByKind(dict[Kind, V]):
    """A dictionary that makes what is missing.

    Once ANY_CUSTOM is in it, custom kinds that are not share what is kept for that.
    """

    def __init__(self, make: Callable[[], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, kind: Kind) -> V:
        if kind.is_custom and ANY_CUSTOM in self:
            return self[ANY_CUSTOM]
        made = self[kind] = self._make()
        return made
