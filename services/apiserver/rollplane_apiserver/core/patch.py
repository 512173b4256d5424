"""Changing an object, its status, its scale or a namespace's finalizers by a patch document."""

from __future__ import annotations

from rollplane.core.v1 import Namespace
from rollplane_apiserver.core.apply import check_patch_options
from rollplane_apiserver.core.owners import settle_owners
from rollplane_apiserver.core.refusals import check_place, not_found
from rollplane_apiserver.core.step import MAX_TRIES, Decision, placed, warned
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.core.update import preconditions_in, replace_object, replace_status
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery import patch
from rollplane_machinery.api import Patch
from rollplane_machinery.errors import UnsupportedError
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.patch import Patched
from rollplane_rules.registry.namespaces import finalized
from rollplane_rules.registry.preconditions import check_preconditions
from rollplane_rules.registry.scale import apply_scale, scale_of


class PatchStep:
    """A patch; applied anew to whatever is stored, so that only a version named in it can be in conflict."""

    reads = True
    is_live = False
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: Patch, tools: Tools) -> None:
        check_patch_options(write)
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)

    def decide(self, current: Entry | None, now: float) -> Decision:
        if current is None:
            raise not_found(self.key)
        old = self.key.kind.parse_stored(current.encoded.value)
        is_scale = self._write.subresource == "scale"
        changed = self._scaled(old, current, now) if is_scale else self._patched(old, now)
        settle_owners(self.key, changed.message, old, self.options, now, self._write.subresource)
        return warned(
            self._tools.writer.replace(self.key, changed.message, old, current, self.options), changed.warnings
        )

    def may_retry_existing(self) -> bool:
        return False

    def _patched(self, old: ApiObject, now: float) -> Patched[ApiObject]:
        changed = patch.patched(old, self._write.type, self._write.patch, self.options.field_validation)
        new = changed.message
        check_place(self.key, new.metadata)
        check_preconditions(self.key, old, preconditions_in(new))
        match self._write.subresource:
            case "":
                warnings = replace_object(self._tools, self.key.kind, new, old, self.options, now)
            case "status":
                warnings = replace_status(self._tools, self.key.kind, new, old, self.options)
            case "finalize" if isinstance(new, Namespace) and isinstance(old, Namespace):
                return Patched(finalized(new, old), changed.warnings)
            case other:
                raise UnsupportedError(f"{self.key.kind.resource} has no subresource {other!r}", name=self.key.name)
        return Patched(new, (*changed.warnings, *warnings)) if warnings else changed

    def _scaled(self, old: ApiObject, current: Entry, now: float) -> Patched[ApiObject]:
        """Patch the scale, then write its replicas into the object: the answer is the whole object."""
        scale = scale_of(self.key.kind, old)
        changed = patch.patched(scale, self._write.type, self._write.patch, self.options.field_validation)
        check_place(self.key, changed.message.metadata)
        new = self.key.kind.parse_stored(current.encoded.value)
        apply_scale(self.key.kind, new, changed.message)
        replace_object(self._tools, self.key.kind, new, old, self.options, now)
        return Patched(new, changed.warnings)
