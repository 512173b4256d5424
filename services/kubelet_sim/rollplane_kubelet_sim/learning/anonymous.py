"""Other names for images and nodes, the same one for the same name."""

from __future__ import annotations


class Aliases:
    """Hands out ``image-1``, ``image-2``, ``node-1`` … in the order in which names are asked for; remembers them."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def of(self, name: str, sort: str) -> str:
        """Return the alias of ``name``, of which there is one for each ``sort``."""
        if not name:
            return name
        if name not in self.names:
            self._counts[sort] = self._counts.get(sort, 0) + 1
            self.names[name] = f"{sort}-{self._counts[sort]}"
        return self.names[name]
