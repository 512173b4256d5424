"""The CustomResourceDefinitions in memory, and what they say."""

from __future__ import annotations

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.watch.entry import Entry
from rollplane_apiserver.watch.table import Table
from rollplane_machinery.definitions import NO_CUSTOMS, Custom, Customs, read_custom
from rollplane_machinery.releases import Release


class DefinitionTable(Table):
    """A table of definitions that tells which kinds they make, in the order of the log as everything else."""

    def __init__(self, release: Release) -> None:
        super().__init__()
        self._release = release
        self._read: dict[str, Custom] = {}
        self._customs: Customs | None = NO_CUSTOMS

    @property
    def customs(self) -> Customs:
        """The kinds that all of them make; each is read once it is asked for."""
        if self._customs is None:
            for key, entry in self.entries.items():
                if key not in self._read:
                    self._read[key] = self._custom(entry)
            self._customs = Customs(self._read.values())
        return self._customs

    def put(self, entry: Entry) -> None:
        """Store ``entry`` over what is there."""
        super().put(entry)
        self._forget(entry.key)

    def remove(self, key: str) -> None:
        """Forget ``key``, if it is there."""
        super().remove(key)
        self._forget(key)

    def _forget(self, key: str) -> None:
        self._read.pop(key, None)
        self._customs = None

    def _custom(self, entry: Entry) -> Custom:
        return read_custom(entry.encoded.read_as(StoredObject), self._release)
