"""Changing a stored object by a function: what rollout verbs are made of."""

from __future__ import annotations

from rollplane_apiserver.core.owners import settle_owners
from rollplane_apiserver.core.refusals import not_found
from rollplane_apiserver.core.step import Decision, placed
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.core.update import replace_object
from rollplane_apiserver.rollout.edit import Change
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Key, WriteOptions

MAX_EDIT_TRIES = 10  # a rollout in full swing writes the status of its Deployment many times a second


class EditStep:
    """An update of what is stored, computed anew whenever somebody else wrote in between."""

    reads = True
    is_live = False
    max_tries = MAX_EDIT_TRIES
    deletes = False

    def __init__(self, key: Key, change: Change, options: WriteOptions, tools: Tools, subresource: str = "") -> None:
        self._change = change
        self._subresource = subresource
        self._tools = tools
        self.options = options
        self.key = placed(key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        old, new = self.key.kind.parse_stored(current.encoded.value), self.key.kind.parse_stored(current.encoded.value)
        self._change(new)
        replace_object(self._tools, self.key.kind, new, old, self.options, now)
        settle_owners(self.key, new, old, self.options, now, self._subresource)
        return self._tools.writer.replace(self.key, new, old, current, self.options)

    def may_retry_existing(self) -> bool:
        return False
