"""One version of a custom resource: what its schema makes of objects, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.schema import Struct
from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.checks import compile_check
from rollplane_machinery.structural.defaulting import defaulted
from rollplane_machinery.structural.embedded import look_at_resources
from rollplane_machinery.structural.faults import Check, causes
from rollplane_machinery.structural.list_types import look_at_lists
from rollplane_machinery.structural.pruning import pruned
from rollplane_machinery.structural.schema import Structural
from rollplane_machinery.structural.topology import object_node
from rollplane_machinery.structural.walks import Walk


@dataclass(frozen=True, eq=False)
class Schema:
    """A schema of whole objects: ``apiVersion``, ``kind`` and ``metadata`` are theirs whatever it says.

    ``forgives``: what was wrong already is not held against an update that leaves it as it was.
    """

    root: Structural
    forgives: bool = True

    @cached_property
    def _resource(self) -> Structural:
        return replace(self.root, is_embedded=True)

    @cached_property
    def _check(self) -> Check:
        return compile_check(self.root)

    @cached_property
    def _resources(self) -> Walk:
        return Walk(self.root, look_at_resources)

    @cached_property
    def _lists(self) -> Walk:
        return Walk(self.root, look_at_lists)

    @cached_property
    def fields(self) -> Struct:
        """What server-side apply goes by: list types and their keys, atomic maps, what is known and what is not."""
        return object_node(self.root)

    def prune(self, value: Json) -> tuple[Json, tuple[str, ...]]:
        """Return ``value`` without the members that nobody declared, and the paths of those, sorted.

        What is the same as before is shared with ``value``, which is not changed.
        """
        kept, dropped = pruned(value, self._resource)
        return kept, tuple(dropped)

    def default(self, value: Json) -> Json:
        """Return ``value`` with defaults filled in; a null that is not allowed counts as missing.

        What is the same as before is shared with ``value``, which is not changed.
        """
        return defaulted(value, self.root)

    def validate(self, value: Json, old: Value = ABSENT, path: str = "") -> list[Cause]:
        """Return what is wrong with ``value``, each under its path, which starts with ``path``.

        Where it is an update of ``old``, what did not change is not held against it.
        """
        found = self._check(value, ABSENT)
        if found and old is not ABSENT and self.forgives:
            found = self._check(value, old)
        return [*causes(found, path), *self._resources.causes(value, path), *self._unique(value, old, path)]

    def _unique(self, value: Json, old: Value, path: str) -> list[Cause]:
        """What stands twice in lists, unless something did so before."""
        found = self._lists.causes(value, path)
        return [] if found and old is not ABSENT and self._lists.causes(old, path) else found
