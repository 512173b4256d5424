"""Defaulting, validation and admission of what clients send, with one memory of pod templates for all of it."""

from __future__ import annotations

from rollplane_machinery.kinds import ApiObject
from rollplane_rules.validation import PodSpecMemo, check_status_update, raise_invalid


class Judge:
    """Makes objects whole and refuses what breaks the rules of their kind.

    The last ``remembered`` pod specs, of at most ``max_bytes``, are judged once.
    """

    def __init__(self, remembered: int, max_bytes: int) -> None:
        self._memo = PodSpecMemo(remembered, max_bytes)

    def complete(self, obj: ApiObject) -> None:
        """Fill in the defaults, in place."""
        self._memo.apply_defaults(obj)

    def admit_new(self, obj: ApiObject) -> None:
        """Fill in the defaults and what admission adds to a new object, in place; raises InvalidError."""
        raise_invalid(obj, self._memo.complete(obj))

    def check_update(self, new: ApiObject, old: ApiObject) -> None:
        """Raise InvalidError unless ``old`` may become ``new``."""
        raise_invalid(new, self._memo.validate_update(new, old))

    def check_status(self, new: ApiObject, old: ApiObject) -> None:
        """Raise InvalidError unless the status of ``old`` may become that of ``new``."""
        check_status_update(new, old)
