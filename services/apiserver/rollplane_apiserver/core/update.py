"""Changing a stored object: whole, its status, or by a patch."""

from __future__ import annotations

from rollplane_apiserver.core.create import propose_create
from rollplane_apiserver.core.owners import settle_owners
from rollplane_apiserver.core.refusals import not_found, version_required
from rollplane_apiserver.core.step import MAX_TRIES, Decision, placed
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Key, Preconditions, Update, UpdateStatus
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.registry.preconditions import check_preconditions
from rollplane_rules.registry.rules import rules_of
from rollplane_rules.strategy import prepare_status_update, prepare_update


def replace_object(tools: Tools, new: ApiObject, old: ApiObject) -> None:
    """Make of ``new`` what an update of the main resource may make of ``old``, in place; raises what refuses it."""
    tools.judge.complete(new)
    prepare_update(new, old, tools.release)
    tools.judge.check_update(new, old)
    tools.admission.check_limits(new, old)
    tools.admission.check_default_class(new)
    tools.addresses.give(new, old)


def replace_status(tools: Tools, key: Key, new: ApiObject, old: ApiObject) -> None:
    """Make of ``new`` what an update of the status may make of ``old``, in place; raises what refuses it."""
    if rules_of(key.kind).defaults_status:
        tools.judge.complete(new)
    prepare_status_update(new, old)
    tools.judge.check_status(new, old)


class UpdateStep:
    """A PUT of the whole object but its status."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: Update, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        new = self._write.object.parse()
        rules = rules_of(self.key.kind)
        if current is None:
            if not rules.creates_on_update:
                raise not_found(self.key)
            check_preconditions(self.key, None, preconditions_in(new))
            return propose_create(self._tools, self.key.kind, new, now, self.options)
        old = current.encoded.parse()
        check_preconditions(self.key, old, preconditions_in(new))
        if rules.needs_resource_version and not new.metadata.resource_version:
            raise version_required(self.key)
        replace_object(self._tools, new, old)
        settle_owners(self.key, new, old, self.options, now)
        return self._tools.writer.replace(self.key, new, old, current, self.options)

    def may_retry_existing(self) -> bool:
        return True  # somebody created it meanwhile: now it can be updated


class StatusStep:
    """A PUT of the status."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: UpdateStatus, tools: Tools) -> None:
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        new, old = self._write.object.parse(), current.encoded.parse()
        check_preconditions(self.key, old, preconditions_in(new))
        replace_status(self._tools, self.key, new, old)
        settle_owners(self.key, new, old, self.options, now, "status")
        return self._tools.writer.replace(self.key, new, old, current, self.options)

    def may_retry_existing(self) -> bool:
        return False


def preconditions_in(obj: ApiObject) -> Preconditions:
    """Return what an object that is sent says about the one it is to replace."""
    return Preconditions(obj.metadata.uid or None, obj.metadata.resource_version or None)
