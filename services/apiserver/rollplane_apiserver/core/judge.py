"""Defaulting, validation and admission of what clients send, with one memory of pod templates for all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rollplane_machinery.definitions import Custom
from rollplane_machinery.errors import Cause, UnsupportedError
from rollplane_machinery.field_validation import FieldValidation
from rollplane_machinery.kinds import CUSTOM_RESOURCE_DEFINITION, ApiObject, CustomKind, Kind
from rollplane_machinery.releases import Release
from rollplane_rules.custom import check_custom, check_definition, read_custom, read_definition
from rollplane_rules.validation import PodSpecMemo, raise_invalid, validate_status_update


class Judge:
    """Makes objects whole and refuses what breaks the rules of their kind.

    The last ``remembered`` pod specs, of at most ``max_bytes``, are judged once.
    """

    def __init__(
        self, remembered: int, max_bytes: int, custom_of: Callable[[Kind], Custom | None], release: Release
    ) -> None:
        self._release = release
        self._custom_of = custom_of
        self._memo = PodSpecMemo(remembered, max_bytes)

    def read_new(self, kind: Kind, obj: ApiObject, validation: FieldValidation) -> tuple[str, ...]:
        """Do to a new object what ``read_own`` does; raises UnsupportedError, too, for a kind that is going away."""
        if kind.is_custom and (custom := self._custom_of(kind)) is not None and custom.is_terminating:
            raise UnsupportedError(
                "create not allowed while custom resource definition is terminating", resource=kind.resource
            )
        return self.read_own(kind, obj, validation)

    def read_own(self, kind: Kind, obj: ApiObject, validation: FieldValidation) -> tuple[str, ...]:
        """Take what is unknown out of a custom object, whose defaults are filled in, or of a definition; in place.

        Returns a sentence for each such field. Raises BadRequestError where none may be.
        """
        if isinstance(kind, CustomKind):
            return read_custom(kind, obj, validation)
        return read_definition(obj, validation) if kind is CUSTOM_RESOURCE_DEFINITION else ()

    def complete(self, obj: ApiObject) -> None:
        """Fill in the defaults of a kind that is built in, in place."""
        self._memo.apply_defaults(obj)

    def read(self, kind: Kind, obj: ApiObject, validation: FieldValidation) -> tuple[str, ...]:
        """Do what ``read_own`` does, and fill in the defaults of kinds that are built in."""
        told = self.read_own(kind, obj, validation)
        if not kind.is_custom:
            self.complete(obj)
        return told

    def admit_new(self, kind: Kind, obj: ApiObject) -> None:
        """Fill in the defaults and what admission adds to a new object, in place; raises InvalidError."""
        causes = self._memo.complete(obj)
        raise_invalid(obj, [*causes, *self._own_causes(kind, obj)] if kind.is_stored_only else causes)

    def check_update(self, kind: Kind, new: ApiObject, old: ApiObject) -> None:
        """Raise InvalidError unless ``old`` may become ``new``."""
        causes = self._memo.validate_update(new, old)
        raise_invalid(new, [*causes, *self._own_causes(kind, new, old)] if kind.is_stored_only else causes)

    def check_status(self, kind: Kind, new: ApiObject, old: ApiObject) -> None:
        """Raise InvalidError unless the status of ``old`` may become that of ``new``."""
        causes = validate_status_update(new, old)
        raise_invalid(new, [*causes, *self._own_causes(kind, new, old)] if kind.is_stored_only else causes)

    def _own_causes(self, kind: Kind, new: ApiObject, old: ApiObject | None = None) -> Sequence[Cause]:
        """What is wrong with a custom object by its schema, or with a definition."""
        if isinstance(kind, CustomKind):
            return check_custom(kind, new, old)
        return check_definition(new, old, self._release) if kind is CUSTOM_RESOURCE_DEFINITION else ()
