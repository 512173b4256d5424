"""One version of a custom resource: what its schema makes of objects, and what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from rollplane_machinery.errors import Cause, CauseReason
from rollplane_machinery.fields.elements import printed
from rollplane_machinery.fields.schema import Struct
from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.causes import invalid
from rollplane_machinery.structural.checks import compile_check
from rollplane_machinery.structural.defaulting import defaulted
from rollplane_machinery.structural.embedded import look_at_resources
from rollplane_machinery.structural.faults import Check, causes
from rollplane_machinery.structural.list_types import look_at_lists
from rollplane_machinery.structural.pruning import pruned
from rollplane_machinery.structural.schema import Document, Structural, has_rules, read
from rollplane_machinery.structural.topology import object_node
from rollplane_machinery.structural.undeclared import undeclared
from rollplane_machinery.structural.walks import Walk

if TYPE_CHECKING:
    from rollplane_machinery.structural.cel.rule_set import RuleSet

_BLOCKING = frozenset(
    {
        CauseReason.NOT_SUPPORTED,
        CauseReason.REQUIRED,
        CauseReason.TOO_LONG,
        CauseReason.TOO_MANY,
        CauseReason.TYPE_INVALID,
    }
)
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


@dataclass(frozen=True, eq=False)
class Schema:
    """A schema of whole objects: ``apiVersion``, ``kind`` and ``metadata`` are theirs whatever it says.

    Unless it is that of a part, without ``is_resource``. ``forgives``: what was wrong already is not held against an
    update that leaves it as it was. ``has_rules``: rules in the schema act.
    """

    root: Structural
    is_resource: bool = True
    forgives: bool = True
    has_rules: bool = True

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
    def _rules(self) -> RuleSet | None:
        """None where there are no rules, for which a large library need not be loaded."""
        if not self.has_rules or not has_rules(self.root):
            return None
        from rollplane_machinery.structural.cel.rule_set import RuleSet

        return RuleSet(self.root, is_resource=self.is_resource, forgives=self.forgives)

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

    def undeclared(self, value: Json) -> list[str]:
        """Return a sentence for each member of ``value`` with which server-side apply refuses it."""
        return [f"{printed(path)}: field not declared in schema" for path in undeclared(value, self._resource)]

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
        told = [*causes(found, path), *self._resources.causes(value, path), *self._unique(value, old, path)]
        return [*told, *self._broken(value, old, path, told)]

    def _unique(self, value: Json, old: Value, path: str) -> list[Cause]:
        """What stands twice in lists, unless something did so before."""
        found = self._lists.causes(value, path)
        return [] if found and old is not ABSENT and self._lists.causes(old, path) else found

    def _broken(self, value: Json, old: Value, path: str, told: Sequence[Cause]) -> Sequence[Cause]:
        """What the rules say, unless what was ``told`` already keeps them from making sense."""
        if not self._rules:
            return ()
        if any(cause.reason in _BLOCKING for cause in told):
            return (invalid(path, None, _UNCHECKED),)
        return self._rules.causes(value, None if old is ABSENT else old, path)


def schema_of(document: Document, release: Release = LATEST) -> Schema:
    """Return the schema that ``document`` is, which nothing is wrong with, as ``release`` takes it."""
    return Schema(read(document, release), forgives=release.schema_ratcheting, has_rules=release.schema_rules)
