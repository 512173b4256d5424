"""Assigning a pod to a node."""

from __future__ import annotations

from rollplane.core.v1 import Pod
from rollplane_apiserver.core.refusals import not_found
from rollplane_apiserver.core.step import MAX_TRIES, Decision, placed
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Bind
from rollplane_machinery.errors import UnsupportedError
from rollplane_rules.registry.binding import apply_binding
from rollplane_rules.registry.preconditions import check_preconditions


class BindStep:
    """A binding; only pods can be bound."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: Bind, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        old, new = current.encoded.parse(), current.encoded.parse()
        if not isinstance(new, Pod):
            raise UnsupportedError(f"{self.key.kind.resource} cannot be bound", resource=self.key.kind.resource)
        check_preconditions(self.key, old, self._write.preconditions)
        apply_binding(new, self._write.node_name, now)
        self._tools.admission.place(new)
        return self._tools.writer.replace(self.key, new, old, current, self.options)

    def may_retry_existing(self) -> bool:
        return False
