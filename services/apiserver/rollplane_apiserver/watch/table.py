"""The objects of one kind in memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.kinds import Kind


class Table:
    """The objects of one kind, by store key, and their keys in order."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._sorted: list[str] = []
        self._added: dict[str, None] = {}
        self._removed = False

    def put(self, entry: Entry) -> None:
        """Store ``entry`` over what is there."""
        if entry.key not in self.entries:
            self._added[entry.key] = None
        self.entries[entry.key] = entry

    def remove(self, key: str) -> None:
        """Forget ``key``, if it is there."""
        if self.entries.pop(key, None) is None:
            return
        if key in self._added:
            del self._added[key]
        else:
            self._removed = True

    def keys(self, namespace: str = "") -> Sequence[str]:
        """Return the keys in order, of one namespace or of all; the list is not to be changed."""
        ordered = self._ordered()
        if not namespace:
            return ordered
        # "0" follows "/": the range holds exactly the keys that begin with "namespace/".
        return ordered[bisect_left(ordered, f"{namespace}/") : bisect_left(ordered, f"{namespace}0")]

    def _ordered(self) -> list[str]:
        """Bring the order up to date; on nearly sorted input the sort is one linear pass."""
        if self._removed:
            # A key that went and came back is in _added too, and must not be there twice.
            self._sorted = [key for key in self._sorted if key in self.entries and key not in self._added]
        if self._added:
            self._sorted = sorted([*self._sorted, *self._added])
        self._added.clear()
        self._removed = False
        return self._sorted


class Tables(dict[Kind, Table]):
    """The tables of all kinds; those of custom kinds come to be when they are first asked for."""

    def __missing__(self, kind: Kind) -> Table:
        if not kind.is_custom:
            raise KeyError(kind)
        table = self[kind] = Table()
        return table
