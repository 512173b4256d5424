"""Field selectors: ``spec.nodeName=node-1,status.phase!=Failed``, and ``spec.nodeName in (node-1,node-2)`` for fleets.

Only the fields listed in ``selectable`` can be named. In values a backslash takes away the meaning of ``\\\\ , =`` and,
inside a list, of parentheses.

Source: kubernetes/apimachinery pkg/fields/selector.go; ``in`` is our own addition.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Kind
from rollplane_machinery.selectors.limits import MAX_FIELD_TERMS, check_size, check_terms
from rollplane_machinery.selectors.selectable import selectable_field_names
from rollplane_machinery.showing import cut

Fields = Mapping[str, str]
Test = Callable[[Fields], bool]

_CHARACTER = r"[^\\,=]|\\[\\,=()]"
_LIST_CHARACTER = r"[^\\,=()]|\\[\\,=()]"
_TERM = re.compile(
    rf"(?P<path>[^\s\\,=!()]+)"
    rf"(?:(?P<operator>!=|==|=)(?P<value>(?:{_CHARACTER})*)"
    rf"|\s+in\s*\((?P<list>(?:{_LIST_CHARACTER}|,)*)\))"
    rf"(?=,|\Z)"
)
_LIST_VALUE = re.compile(rf"(?:\A|,)((?:{_LIST_CHARACTER})*)")
_SPECIAL = re.compile(r"[\\,=]")
_LIST_SPECIAL = re.compile(r"[\\,=()]")
_ESCAPED = r"\\\g<0>"
_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)


class FieldOperator(StrEnum):
    """How a term compares."""

    EQUALS = "="
    NOT_EQUALS = "!="
    IN = "in"


@frozen
class FieldTerm:
    """``path operator values``: one value for = and !=, for in sorted unique ones."""

    path: str
    operator: FieldOperator
    values: tuple[str, ...]

    def __str__(self) -> str:
        if self.operator is FieldOperator.IN:
            return f"{self.path} in ({','.join(_LIST_SPECIAL.sub(_ESCAPED, value) for value in self.values)})"
        return f"{self.path}{self.operator}{_SPECIAL.sub(_ESCAPED, self.values[0])}"

    def test(self) -> Test:
        """Return the term as a function of the fields; a field that is absent counts as empty."""
        path, values = self.path, frozenset(self.values)
        if self.operator is FieldOperator.NOT_EQUALS:
            return lambda fields: fields.get(path, "") not in values
        return lambda fields: fields.get(path, "") in values


@frozen
class FieldSelector:
    """All of ``terms``; without any it matches everything. ``matches`` takes what ``selectable_fields`` returns."""

    terms: tuple[FieldTerm, ...] = ()
    matches: Test = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "matches", _compile(self.terms))

    @property
    def is_everything(self) -> bool:
        return not self.terms

    def __str__(self) -> str:
        return ",".join(map(str, self.terms))


def parse_field_selector(text: str, kind: Kind) -> FieldSelector:
    """Return the selector written in ``text``; an empty one matches everything.

    Raises BadRequestError for text that cannot be read, naming its position (from 1), and for a field that ``kind``
    does not offer, naming those it does, and for text beyond the limits.
    """
    check_size("field selector", text, MAX_FIELD_TERMS)
    terms: list[FieldTerm] = []
    position = 0
    while position < len(text):
        if text[position] == ",":  # empty terms mean nothing, as in Kubernetes
            position += 1
            continue
        match = _TERM.match(text, position)
        if match is None:
            raise BadRequestError(
                f"field selector {cut(text)!r}, position {position + 1}: "
                "want path=value, path!=value or path in (values)"
            )
        terms.append(_term(match, kind))
        position = match.end()
    check_terms("a field selector", len(terms))
    return FieldSelector(tuple(terms))


def _term(match: re.Match[str], kind: Kind) -> FieldTerm:
    path = match["path"]
    supported = selectable_field_names(kind)
    if path not in supported:
        raise BadRequestError(
            f'field label not supported: "{cut(path)}" ({kind.plural} support {", ".join(supported)})',
            resource=kind.resource,
        )
    if match["operator"] is None:
        values = {_unescape(value) for value in _LIST_VALUE.findall(match["list"])}
        return FieldTerm(path, FieldOperator.IN, tuple(sorted(values)))
    operator = FieldOperator.NOT_EQUALS if match["operator"] == "!=" else FieldOperator.EQUALS
    return FieldTerm(path, operator, (_unescape(match["value"]),))


def _unescape(value: str) -> str:
    return _UNESCAPE.sub(r"\1", value)


def _always(_fields: Fields) -> bool:
    return True


def _compile(terms: tuple[FieldTerm, ...]) -> Test:
    if not terms:
        return _always
    tests = tuple(term.test() for term in terms)
    if len(tests) == 1:
        return tests[0]
    return lambda fields: all(test(fields) for test in tests)
