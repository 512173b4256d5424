"""All rules of one schema: checked when it is declared, evaluated on every object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cel_expr_python.cel import Type

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.values import as_items, as_members
from rollplane_machinery.patch.json_value import Json, equal
from rollplane_machinery.structural.causes import invalid
from rollplane_machinery.structural.cel.declared import Declarations
from rollplane_machinery.structural.cel.evaluation import Compiled, OutOfBudgetError, evaluated
from rollplane_machinery.structural.cel.rules import Checked, Checker, Rule, rule_of
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.pairing import paired_by_keys
from rollplane_machinery.structural.rule_paths import field_path
from rollplane_machinery.structural.schema import Structural
from rollplane_machinery.structural.walks import ancestors

_RULES = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class _Place:
    """A node with rules: its path in the schema, and that of the list above it whose items cannot be told apart."""

    node: Structural
    path: str
    unpaired: str | None
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class _Anchor:
    """The nearest value above that has its like in the old object."""

    value: Json
    old: Json

    @property
    def is_same(self) -> bool:
        """Whether nothing changed here."""
        return self.old is not None and equal(self.value, self.old)


class RuleSet:
    """The rules below ``root``, the schema of whole objects if ``is_resource``; most schemas have none.

    ``forgives``: what a rule says of a value that did not change is passed over.
    """

    def __init__(self, root: Structural, *, is_resource: bool = True, forgives: bool = True) -> None:
        self._root = root
        self._forgives = forgives
        self._places = list(_places(root, "", None))
        self._checked = _checked(self._places, root if is_resource else None) if self._places else []
        self._compiled = {
            place.node: list(_compiled(place, checked))
            for place, checked in zip(self._places, self._checked, strict=True)
        }
        self._wanted = ancestors(root, set(self._compiled))

    def __bool__(self) -> bool:
        return bool(self._places)

    def check(self, path: str) -> list[Cause]:
        """Return what is wrong with the rules of the schema, which stands at ``path``."""
        return [
            cause
            for place, checked in zip(self._places, self._checked, strict=True)
            for index, (rule, each) in enumerate(zip(place.rules, checked, strict=True))
            for cause in _wrong(rule, each, place, path, join(path, join(place.path, f"{_RULES}[{index}]")))
        ]

    def causes(self, value: Json, old: Json, path: str = "") -> list[Cause]:
        """Return what the rules say of ``value`` at ``path``, an update of ``old`` unless that is None."""
        found: list[Cause] = []
        try:
            for cause in self._walked(self._root, value, old, _Anchor(value, old), path):
                found.append(cause)  # noqa: PERF402 -- what was found before the budget ran out is told
        except OutOfBudgetError as error:
            found.append(error.cause)
        return found

    def _walked(self, node: Structural, value: Json, old: Json, anchor: _Anchor, path: str) -> Iterator[Cause]:
        if node not in self._wanted or value is None:
            return
        for cause, is_of_value in evaluated(node, self._compiled.get(node, ()), value, old, path):
            if not (is_of_value and self._forgives and anchor.is_same):
                yield cause
        if isinstance(value, dict):
            yield from self._members(node, value, as_members(old), anchor, path)
        elif isinstance(value, list) and node.items is not None:
            yield from self._items(node, node.items, value, old, anchor, path)

    def _members(
        self, node: Structural, value: dict[str, Json], old: dict[str, Json], anchor: _Anchor, path: str
    ) -> Iterator[Cause]:
        for name, member in value.items():
            known = node.member(name)
            if known is not None:
                before = old.get(name)
                inner = _Anchor(member, before) if before is not None else anchor
                inside = join(path, name) if name in node.properties else f"{path}[{name}]"
                yield from self._walked(known, member, before, inner, inside)

    def _items(
        self, node: Structural, items: Structural, value: list[Json], old: Json, anchor: _Anchor, path: str
    ) -> Iterator[Cause]:
        like = paired_by_keys(node.map_keys, as_items(old)) if node.list_type == "map" else None
        for index, item in enumerate(value):
            before = None if like is None else like(item)
            inner = _Anchor(item, before) if before is not None else anchor
            yield from self._walked(items, item, before, inner, f"{path}[{index}]")


def _places(node: Structural, path: str, unpaired: str | None) -> Iterator[_Place]:
    if rules := node.document.get(_RULES):
        yield _Place(node, path, unpaired, [rule_of(each) for each in rules])
    for name, child in node.children():
        is_unpaired = name == "items" and node.list_type != "map" and unpaired is None
        yield from _places(child, join(path, name), path if is_unpaired else unpaired)


def _checked(places: Sequence[_Place], resource: Structural | None) -> list[list[Checked]]:
    declarations = Declarations()
    kinds = [declarations.type_of(place.node, is_root=place.node is resource) for place in places]
    checker = Checker(declarations.pool(), [Type.DYN if kind is None else kind for kind in kinds])
    return [[checker.check(rule, index) for rule in place.rules] for index, place in enumerate(places)]


def _compiled(place: _Place, checked: Sequence[Checked]) -> Iterator[Compiled]:
    """The rules that can be evaluated; of the others the definition is told."""
    for rule, each in zip(place.rules, checked, strict=True):
        if not each.error and rule.rule.strip():
            yield Compiled(rule, each.uses_old, field_path(rule.field_path, place.node) or "")


def _wrong(rule: Rule, checked: Checked, place: _Place, path: str, field: str) -> Iterator[Cause]:
    if checked.error:
        yield invalid(join(field, "rule"), rule.shown, checked.error)
    if checked.message_error:
        yield invalid(join(field, "messageExpression"), rule.shown, checked.message_error)
    if checked.uses_old and place.unpaired is not None:
        within = join(path, place.unpaired)
        sentence = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {within}"
        yield invalid(join(field, "rule"), rule.rule, sentence)
    if not checked.uses_old and not checked.error and rule.is_optional:
        yield invalid(join(field, "optionalOldSelf"), True, "may not be set if oldSelf is not used in rule")
