"""Changing a stored object: whole, its status, or by a patch."""

from __future__ import annotations

from rollplane_apiserver.core.create import propose_create
from rollplane_apiserver.core.owners import settle_owners
from rollplane_apiserver.core.refusals import not_found, version_required
from rollplane_apiserver.core.step import MAX_TRIES, Decision, placed, warned
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Preconditions, Update, UpdateStatus, WriteOptions
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, ApiObject, Encoded, Kind
from rollplane_rules.registry.preconditions import check_preconditions
from rollplane_rules.registry.rules import rules_of
from rollplane_rules.strategy import prepare_status_update, prepare_update


def replace_object(
    tools: Tools, kind: Kind, new: ApiObject, old: ApiObject, options: WriteOptions, now: float
) -> tuple[str, ...]:
    """Make of ``new`` what an update of the main resource may make of ``old``, in place; raises what refuses it.

    Returns a sentence for each field of a custom object, or of a definition, that nobody knows.
    """
    warnings = tools.judge.read(kind, new, options.field_validation)
    prepare_update(new, old, tools.release)
    tools.judge.check_update(kind, new, old)
    tools.admission.check_limits(new, old)
    tools.admission.check_default_class(new)
    tools.addresses.give(new, old)
    if kind is CUSTOM_RESOURCE_DEFINITION:
        tools.settle_names(new, now)
    return warnings


def replace_status(tools: Tools, kind: Kind, new: ApiObject, old: ApiObject, options: WriteOptions) -> tuple[str, ...]:
    """Make of ``new`` what an update of the status may make of ``old``, in place; raises what refuses it.

    Returns a sentence for each field of a custom object, or of a definition, that nobody knows.
    """
    read = tools.judge.read if rules_of(kind).defaults_status else tools.judge.read_own
    warnings = read(kind, new, options.field_validation)
    prepare_status_update(new, old)
    tools.judge.check_status(kind, new, old)
    return warnings


class _Sent:
    """The object that was sent, parsed with its key: handed out once, and then parsed anew, since who gets it edits it.

    Raises BadRequestError for bytes that are none.
    """

    def __init__(self, encoded: Encoded) -> None:
        self._encoded = encoded
        self._opened: ApiObject | None = encoded.opened()

    def take(self) -> ApiObject:
        opened, self._opened = self._opened, None
        return opened if opened is not None else self._encoded.parse()


class UpdateStep:
    """A PUT of the whole object but its status."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: Update, tools: Tools) -> None:
        self._sent = _Sent(write.object)
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        new = self._sent.take()
        rules = rules_of(self.key.kind)
        if current is None:
            if not rules.creates_on_update:
                raise not_found(self.key)
            check_preconditions(self.key, None, preconditions_in(new))
            return propose_create(self._tools, self.key.kind, new, now, self.options)
        old = self.key.kind.parse_stored(current.encoded.value)
        check_preconditions(self.key, old, preconditions_in(new))
        if rules.needs_resource_version and not new.metadata.resource_version:
            raise version_required(self.key)
        warnings = replace_object(self._tools, self.key.kind, new, old, self.options, now)
        settle_owners(self.key, new, old, self.options, now)
        return warned(self._tools.writer.replace(self.key, new, old, current, self.options), warnings)

    def may_retry_existing(self) -> bool:
        return True  # somebody created it meanwhile: now it can be updated


class StatusStep:
    """A PUT of the status."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: UpdateStatus, tools: Tools) -> None:
        self._sent = _Sent(write.object)
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        new, old = self._sent.take(), self.key.kind.parse_stored(current.encoded.value)
        check_preconditions(self.key, old, preconditions_in(new))
        warnings = replace_status(self._tools, self.key.kind, new, old, self.options)
        settle_owners(self.key, new, old, self.options, now, "status")
        return warned(self._tools.writer.replace(self.key, new, old, current, self.options), warnings)

    def may_retry_existing(self) -> bool:
        return False


def preconditions_in(obj: ApiObject) -> Preconditions:
    """Return what an object that is sent says about the one it is to replace."""
    return Preconditions(obj.metadata.uid or None, obj.metadata.resource_version or None)
