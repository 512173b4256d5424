"""Who holds which claim, as the cache knows it: addresses and ports of Services."""

from __future__ import annotations

from rollplane_apiserver.watch.entry import Entry
from rollplane_apiserver.watch.table import Table
from rollplane_rules.registry.addresses import claims_of


class ClaimTable(Table):
    """A table that knows the holder of each claim: of the claims that two entries have, the later one."""

    def __init__(self) -> None:
        super().__init__()
        self.holders: dict[str, str] = {}

    def put(self, entry: Entry) -> None:
        """Store ``entry`` over what is there."""
        self._forget(entry.key)
        super().put(entry)
        for claim in claims_of(entry.encoded.parse()):
            self.holders[claim] = entry.key

    def remove(self, key: str) -> None:
        """Forget ``key``, if it is there."""
        self._forget(key)
        super().remove(key)

    def _forget(self, key: str) -> None:
        known = self.entries.get(key)
        claims = claims_of(known.encoded.parse()) if known is not None else ()
        for claim in claims:
            if self.holders.get(claim) == key:
                del self.holders[claim]
