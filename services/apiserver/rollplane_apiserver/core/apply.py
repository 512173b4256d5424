"""Server-side apply: a configuration merged into what is stored, or stored where nothing is."""

from __future__ import annotations

from rollplane.meta.v1 import ObjectMeta
from rollplane_apiserver.core.create import propose_create
from rollplane_apiserver.core.owners import enter
from rollplane_apiserver.core.refusals import not_found
from rollplane_apiserver.core.step import MAX_TRIES, Decision, placed, warned
from rollplane_apiserver.core.tools import Tools
from rollplane_apiserver.core.update import preconditions_in, replace_object, replace_status
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import Patch, PatchType
from rollplane_machinery.errors import BadRequestError, Cause, CauseReason, InvalidError, UnsupportedError
from rollplane_machinery.field_validation import FieldValidation, field_sentence, strict_sentence
from rollplane_machinery.fields import (
    Configuration,
    Merged,
    Writer,
    apply_configuration,
    read_configuration,
    read_scale_configuration,
)
from rollplane_machinery.kinds import ApiObject
from rollplane_rules.registry.preconditions import check_preconditions


class ApplyStep:
    """An apply; merged anew into whatever is stored, so that only a version named in it can be in conflict."""

    reads = True
    max_tries = MAX_TRIES
    deletes = False

    def __init__(self, write: Patch, tools: Tools) -> None:
        check_patch_options(write)
        self._write = write
        self._tools = tools
        self.options = write.options
        self.key = placed(write.key)
        self.is_live = write.options.dry_run
        self._config = _read(write)
        self._warnings = _warnings(self._config, write.options.field_validation)

    def decide(self, current: Entry | None, now: float) -> Decision:
        return warned(self._decide(current, now), self._warnings)

    def _decide(self, current: Entry | None, now: float) -> Decision:
        old = None if current is None else self.key.kind.parse_stored(current.encoded.value)
        if old is None and self._write.subresource:
            raise not_found(self.key)
        writer = Writer(self.options.field_manager, self._write.subresource, now)
        merged = apply_configuration(self._config, old, writer, force=self._write.force)
        self._place(merged.object.metadata)
        check_preconditions(self.key, old, preconditions_in(merged.object))
        if current is None or old is None:
            return self._create(merged, now)
        warnings = self._replace(merged.object, old, now)
        enter(merged.object, old, merged.managers)
        return warned(self._tools.writer.replace(self.key, merged.object, old, current, self.options), warnings)

    def may_retry_existing(self) -> bool:
        return True  # somebody else was quicker: there is something to merge into now

    def _create(self, merged: Merged, now: float) -> Decision:
        return propose_create(self._tools, self.key.kind, merged.object, now, self.options, merged.managers)

    def _replace(self, new: ApiObject, old: ApiObject, now: float) -> tuple[str, ...]:
        if self._write.subresource == "status":
            return replace_status(self._tools, self.key.kind, new, old, self.options)
        return replace_object(self._tools, self.key.kind, new, old, self.options, now)

    def _place(self, metadata: ObjectMeta) -> None:
        """Put the object where the request says; raises BadRequestError when it says otherwise itself."""
        for field, wanted in (("name", self.key.name), ("namespace", self.key.namespace)):
            if (found := getattr(metadata, field)) not in ("", wanted):
                raise BadRequestError(
                    f"the {field} of the object ({found}) does not match the {field} on the URL ({wanted})"
                )
            if wanted:
                setattr(metadata, field, wanted)


def check_patch_options(write: Patch) -> None:
    """Raise InvalidError for options that a patch of its type must have and has not, or must not have and has."""
    manager, is_apply = write.options.field_manager, write.type is PatchType.APPLY
    if is_apply and not manager:
        raise _bad_option(CauseReason.REQUIRED, "fieldManager", "Required value: is required for apply patch")
    if write.force and not is_apply:
        raise _bad_option(CauseReason.FORBIDDEN, "force", "Forbidden: may not be specified for non-apply patch")


def _bad_option(reason: CauseReason, field: str, message: str) -> InvalidError:
    cause = Cause(reason, field, message)
    return InvalidError(f'PatchOptions.meta.k8s.io "" is invalid: {cause}', causes=[cause])


def _read(write: Patch) -> Configuration:
    kind = write.key.kind
    match write.subresource:
        case "scale":
            return read_scale_configuration(write.patch, kind)
        case "" | "status":
            return read_configuration(write.patch, kind)
        case other:
            raise UnsupportedError(f"nothing can be applied to {other!r} of {kind.resource}", resource=kind.resource)


def _warnings(config: Configuration, validation: FieldValidation) -> tuple[str, ...]:
    """Return a sentence for each field that was left out; raises BadRequestError where none may be."""
    if config.left_out and validation is FieldValidation.STRICT:
        raise BadRequestError(strict_sentence(config.left_out), causes=config.left_out)
    return tuple(map(field_sentence, config.left_out)) if validation is FieldValidation.WARN else ()
