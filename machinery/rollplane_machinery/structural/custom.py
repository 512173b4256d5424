"""One version of a custom resource: what its schema makes of objects, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.schema import Struct
from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.checks import compile_check
from rollplane_machinery.structural.defaulting import defaulted
from rollplane_machinery.structural.faults import Check, causes
from rollplane_machinery.structural.pruning import pruned
from rollplane_machinery.structural.schema import Structural, read
from rollplane_machinery.structural.topology import object_node


@dataclass(frozen=True, eq=False)
class Schema:
    """A schema of whole objects: ``apiVersion``, ``kind`` and ``metadata`` are theirs whatever it says."""

    root: Structural

    @cached_property
    def _resource(self) -> Structural:
        return replace(self.root, is_embedded=True)

    @cached_property
    def _check(self) -> Check:
        return compile_check(self.root)

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
        if found and old is not ABSENT:
            found = self._check(value, old)
        return causes(found, path)


def parse_schema(document: Mapping[str, Any], path: str = "", release: Release = LATEST) -> Schema:
    """Return the schema that ``document`` is, an ``openAPIV3Schema`` that stands at ``path``.

    Raises InvalidError with a cause for everything that is no structural schema.
    """
    return Schema(read(document, release))
