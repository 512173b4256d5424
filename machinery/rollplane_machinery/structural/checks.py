"""Checks of values against a schema, compiled once: a good value passes without a path or a sentence being made.

Every node becomes one function that looks at the type of the value and calls what applies to it.

Source: kubernetes/kube-openapi pkg/validation/validate, kubernetes/apiextensions-apiserver pkg/apiserver/validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from rollplane_machinery.errors import Cause
from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.patch.json_value import Json, equal
from rollplane_machinery.structural.causes import invalid, not_supported, required, shown, too_many, type_invalid
from rollplane_machinery.structural.faults import NONE, Check, Faults, fault, under, whole_fault
from rollplane_machinery.structural.formats import format_check
from rollplane_machinery.structural.pairing import paired_by_keys
from rollplane_machinery.structural.scalars import number_checks, text_checks
from rollplane_machinery.structural.schema import Document, Structural
from rollplane_machinery.structural.types import FORMAT_OF, accepts, type_name

Compile: TypeAlias = Callable[[Structural], Check]


def compile_check(root: Structural) -> Check:
    """Return the check of values of ``root``, each part of which is compiled when it is first wanted.

    Faults of a value that is equal to the one before it are passed over: what was good once stays so, until it changes.
    """

    @cache
    def compiled(node: Structural) -> Check:
        return _check(node, compiled)

    return compiled(root)


class _ByType(dict[type, tuple[Check, ...]]):
    """The checks of one node by the type of the value; a schema may hold itself, so they are made when asked for."""

    def __init__(self, node: Structural, compiled: Compile) -> None:
        super().__init__()
        self._node = node
        self._compiled = compiled

    def __missing__(self, kind: type) -> tuple[Check, ...]:
        self[kind] = checks = tuple(_checks(self._node, kind, self._compiled))
        return checks


def _check(node: Structural, compiled: Compile) -> Check:
    table = _ByType(node, compiled)

    def check(value: Json, old: Value) -> Faults:
        found: Faults = NONE
        for each in table[type(value)]:
            if faults := each(value, old):
                found = [*found, *faults]
        if found and old is not ABSENT and equal(value, old):
            return NONE
        return found

    return check


def _checks(node: Structural, kind: type, compiled: Compile) -> Iterator[Check]:
    """The checks that apply to values of ``kind``, in Kubernetes' order."""
    if (check := _type(node, kind)) is not None:
        yield check
    if kind is not type(None):
        yield from _junctors(node, compiled)
        yield from _own(node, kind, compiled)
    if enum := node.document.get("enum"):
        yield _enum(enum)
    if kind is dict:
        yield _object(node, compiled)


def _own(node: Structural, kind: type, compiled: Compile) -> Iterator[Check]:
    if kind is str:
        yield from text_checks(node.document)
        if (check := format_check(node.format)) is not None:
            yield check
    elif kind in (int, float):
        yield from number_checks(node.document)
    elif kind is list:
        yield from _list(node, compiled)


def _type(node: Structural, kind: type) -> Check | None:
    """What is wrong with the type: known beforehand, but for fractions."""
    types = node.types
    if not types or accepts(types, kind) or (kind is type(None) and node.nullable):
        return None
    if node.format and kind in FORMAT_OF:
        wrong = _wrong_type(node.format, FORMAT_OF[kind])
    else:
        wrong = _wrong_type(",".join(types), type_name(kind))
    if kind is float and "integer" in types:
        return lambda value, _: NONE if _is_whole(value) else wrong
    return lambda _value, _old: wrong


def _is_whole(value: Any) -> bool:
    return bool(value.is_integer() and abs(value) < 2**53)


def _wrong_type(wanted: str, found: str) -> Faults:
    def named(name: str, field: str) -> Cause:
        return type_invalid(field, found, f"{name} in body must be of type {wanted}: {shown(found)}")

    return fault(named)


def _enum(values: Sequence[Json]) -> Check:
    words = frozenset(value for value in values if isinstance(value, str))
    supported = [value if isinstance(value, str) else shown(value) for value in values]

    def check(value: Json, _: Value) -> Faults:
        if value in words if isinstance(value, str) else _is_among(value, values):
            return NONE
        return fault(lambda _, field: not_supported(field, "" if value is None else value, supported))

    return check


def _is_among(value: Json, values: Sequence[Json]) -> bool:
    """Null is among none, not even where it is listed."""
    return value is not None and any(equal(value, each) for each in values)


def _list(node: Structural, compiled: Compile) -> Iterator[Check]:
    if node.items is not None:
        yield _items(node, compiled(node.items))
    document = node.document
    if (least := document.get("minItems")) is not None:
        yield _at_least(least, "items")
    if (most := document.get("maxItems")) is not None:
        yield _at_most(most)
    if document.get("uniqueItems") is True:
        yield _unique


def _items(node: Structural, check_item: Check) -> Check:
    keys = node.map_keys if node.list_type == "map" else ()

    def check(value: Any, old: Value) -> Faults:
        found: Faults = NONE
        like = paired_by_keys(keys, old) if keys and isinstance(old, list) else None
        for index, item in enumerate(value):
            before = ABSENT if like is None or (same := like(item)) is None else same
            if faults := check_item(item, before):
                found = [*found, *under(f"[{index}]", faults)]
        return found

    return check


def _unique(value: Any, _: Value) -> Faults:
    if len({shown(item) for item in value}) == len(value):
        return NONE
    return fault(lambda name, field: invalid(field, "", f"{name} in body shouldn't contain duplicates"))


def _at_least(limit: int, unit: str) -> Check:
    def check(value: Any, _: Value) -> Faults:
        if (count := len(value)) >= limit:
            return NONE
        return fault(lambda name, field: invalid(field, count, f"{name} in body should have at least {limit} {unit}"))

    return check


def _at_most(limit: int) -> Check:
    def check(value: Any, _: Value) -> Faults:
        if (count := len(value)) <= limit:
            return NONE
        return fault(lambda _, field: too_many(field, count, limit))

    return check


def _object(node: Structural, compiled: Compile) -> Check:
    counts = tuple(_counts(node.document))
    members = {name: compiled(each) for name, each in node.properties.items()}
    other = _forbidden if node.additional is False else compiled(node.element) if node.element else None
    wanted = tuple(node.document.get("required") or ())

    def check(value: Any, old: Value) -> Faults:
        found: list[Any] = []
        for count in counts:
            found += count(value, old)
        before: Mapping[str, Json] = old if isinstance(old, dict) else {}
        for name, member in value.items():
            check_member = members.get(name, other)
            if check_member is not None and (faults := check_member(member, before.get(name, ABSENT))):
                found += under(name, faults)
        for name in wanted:
            if name not in value:
                found += under(name, _MISSING)
        return found

    return check


_MISSING = fault(lambda _, field: required(field))


def _counts(document: Document) -> Iterator[Check]:
    if (least := document.get("minProperties")) is not None:
        yield _at_least(least, "properties")
    if (most := document.get("maxProperties")) is not None:
        yield _at_most(most)


def _forbidden(_value: Json, _old: Value) -> Faults:
    return _FORBIDDEN


_FORBIDDEN = fault(lambda name, field: invalid(field, "", f"{name} in body is a forbidden property"))


def _junctors(node: Structural, compiled: Compile) -> Iterator[Check]:
    if node.any_of:
        yield _any_of(list(map(compiled, node.any_of)))
    if node.one_of:
        yield _one_of(list(map(compiled, node.one_of)))
    if node.all_of:
        yield _all_of(list(map(compiled, node.all_of)))
    if node.none_of is not None:
        yield _none_of(compiled(node.none_of))


_NOT_ANY = whole_fault('"{}" must validate at least one schema (anyOf)')
_NOT_ONE = '"{{}}" must validate one and only one schema (oneOf). Found {}'
_NOT_ALL = '"{{}}" must validate all the schemas (allOf){}'
_NOT_NONE = whole_fault('"{}" must not validate the schema (not)')


def _any_of(checks: Sequence[Check]) -> Check:
    def check(value: Json, old: Value) -> Faults:
        first: Faults = NONE
        for each in checks:
            faults = each(value, old)
            if not faults:
                return NONE
            first = first or faults
        return [*_NOT_ANY, *first]

    return check


def _one_of(checks: Sequence[Check]) -> Check:
    def check(value: Json, old: Value) -> Faults:
        results = [each(value, old) for each in checks]
        count = sum(not faults for faults in results)
        if count == 1:
            return NONE
        if count:
            return whole_fault(_NOT_ONE.format(f"{count} valid alternatives"))
        return [*whole_fault(_NOT_ONE.format("none valid")), *results[0]]

    return check


def _all_of(checks: Sequence[Check]) -> Check:
    def check(value: Json, old: Value) -> Faults:
        results = [faults for each in checks if (faults := each(value, old))]
        if not results:
            return NONE
        told = whole_fault(_NOT_ALL.format(". None validated" if len(results) == len(checks) else ""))
        return [*(each for faults in results for each in faults), *told]

    return check


def _none_of(check_other: Check) -> Check:
    return lambda value, _: NONE if check_other(value, ABSENT) else _NOT_NONE
