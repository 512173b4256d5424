"""Removing an object, or marking it for those who must finish first."""

from __future__ import annotations

from rollplane_apiserver.core.refusals import not_found
from rollplane_apiserver.core.step import MAX_TRIES, Decision, Unchanged, placed
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Delete, Key, WriteOptions
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.registry.deletion import DeleteRequest, Fate, apply_deletion
from rollplane_rules.registry.preconditions import check_preconditions


class DeleteStep:
    """A delete, by the rules of ``registry.deletion``."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = True

    def __init__(self, write: Delete, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)
        self._request = DeleteRequest(write.grace_period_seconds, write.propagation)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        old = self.key.kind.parse(current.encoded.value)
        check_preconditions(self.key, old, self._write.preconditions)
        new = self.key.kind.parse(current.encoded.value)
        return propose_delete(self._tools, self.key, new, old, current, self._request, now, self.options)

    def may_retry_existing(self) -> bool:
        return False


def propose_delete(
    tools: Tools,
    key: Key,
    new: ApiObject,
    old: ApiObject,
    current: Entry,
    request: DeleteRequest,
    now: float,
    options: WriteOptions,
) -> Decision:
    """Propose what a DELETE makes of ``new``, a copy of the stored ``old`` that may differ in its status."""
    fate = apply_deletion(key.kind, new, request, now)
    if fate is Fate.KEEP:
        return Unchanged(current)
    if fate is Fate.REMOVE:
        return tools.writer.remove(key, new, current, options)
    return tools.writer.replace(key, new, old, current, options)
