"""Formats by name, and what is wrong with a text: ``!format.dns1123Label().validate(self).hasValue()``.

Upstream's functions return optional values. None crosses from here into CEL, so that these return values of types of
their own, with the members of optional values that are plain functions: ``hasValue`` and ``value``.

Source: kubernetes/apiserver pkg/cel/library/format.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cel_expr_python.cel import Type
from google.protobuf.message import Message

from rollplane_machinery import names
from rollplane_machinery.structural.cel.functions import Function, function, member
from rollplane_machinery.structural.cel.messages import ERRORS, FORMAT, MAYBE_FORMAT, maker, text_of, type_of
from rollplane_machinery.structural.grammars import FORMATS

Check = Callable[[str], list[str]]
_TEXTS = Type.List(Type.STRING)
_format, _maybe, _errors = map(maker, (FORMAT.name(), MAYBE_FORMAT.name(), ERRORS.name()))


def _prefix(check: Check) -> Check:
    """A prefix may end as no name may: with a dash."""
    return lambda text: check(f"{text[:-1]}a" if text[-1:] == "-" else text)


def _of(named: str) -> Check:
    is_good = FORMATS[named]
    return lambda text: [] if is_good(text) else [f"does not match the {named} format"]


_CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "dns1123Label": names.check_dns1123_label,
        "dns1123Subdomain": names.check_dns1123_subdomain,
        "dns1035Label": names.check_dns1035_label,
        "qualifiedName": names.check_qualified_name,
        "labelValue": names.check_label_value,
        "dns1123LabelPrefix": _prefix(names.check_dns1123_label),
        "dns1123SubdomainPrefix": _prefix(names.check_dns1123_subdomain),
        "dns1035LabelPrefix": _prefix(names.check_dns1035_label),
        **{named: _of(named) for named in ("uri", "uuid", "byte", "date", "datetime")},
    }
)


def _named(name: str) -> Message:
    return _maybe(name if name in _CHECKS else "")


def _validate(value: Message, text: str) -> Message:
    return _errors(json.dumps(_CHECKS[text_of(value)](text)))


def _sentences(value: Message) -> list[str]:
    found: list[str] = json.loads(text_of(value))
    return found


def _has_value(value: Message) -> bool:
    return bool(text_of(value)) if type_of(value) == MAYBE_FORMAT.name() else bool(_sentences(value))


def _value(value: Message) -> Message | list[str]:
    if not _has_value(value):
        raise ValueError("optional.none() dereference")
    return _format(text_of(value)) if type_of(value) == MAYBE_FORMAT.name() else _sentences(value)


def _maker(name: str) -> Callable[[], Message]:
    return lambda: _format(name)


FUNCTIONS: Sequence[Function] = (
    *(function(f"format.{name}", _maker(name), FORMAT) for name in _CHECKS),
    function("format.named", _named, MAYBE_FORMAT, Type.STRING),
    member("validate", _validate, ERRORS, FORMAT, Type.STRING),
    Function("hasValue", _has_value, [(Type.BOOL, [ERRORS]), (Type.BOOL, [MAYBE_FORMAT])]),
    Function("value", _value, [(_TEXTS, [ERRORS]), (FORMAT, [MAYBE_FORMAT])]),
)
