"""When a group has failed: the one rule, for whoever sees more of a group than one commit does.

Within a commit ``commit.lua`` decides, as nothing else can. This is its mirror; the contract suite holds both to it.
"""

from __future__ import annotations

from rollplane_apiserver.store.interface import Committed, Settled


class Groups:
    """The failed groups of one caller: those of whose members one has ended otherwise than committed.

    A member known as committed by its token keeps its group going; a withdrawn one, or an error, ends it.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def has_failed(self, group: str) -> bool:
        """Return whether what is in ``group`` is not to be attempted any more; never for "", which is no group."""
        return group in self._failed

    def note(self, group: str, settled: Settled) -> None:
        """Take in what became of one member of ``group``."""
        if group and not isinstance(settled, Committed):
            self._failed.add(group)
