"""Semantic equality of messages: equal when Kubernetes could not tell them apart.

A list or map that is absent equals an empty one, a field that Go holds by value equals its zero, quantities compare by
value. A field that Go holds by pointer (``emit`` in ``rollplane/json/v1/options.proto`` says which) differs when only
one side has it.

Source of the rules: kubernetes/apimachinery pkg/api/equality/semantic.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from rollplane.meta import v1 as meta
from rollplane_machinery import int_or_string, quantity
from rollplane_machinery.codec.fields import is_inline, is_pointer, map_value
from rollplane_machinery.errors import BadRequestError

_Same = Callable[[Any, Any], bool]
"""Compares one field of two messages, or two values."""


def semantic_equal(a: Message, b: Message, *, ignore: Collection[str] = ()) -> bool:
    """Whether ``a`` and ``b`` mean the same; ``ignore`` names fields of the messages themselves that do not count."""
    if a.DESCRIPTOR is not b.DESCRIPTOR:
        return False
    if not ignore and a == b:  # one call in C, and the usual answer
        return True
    for name, same in _fields(a.DESCRIPTOR):  # no generator: this is asked of each write
        if name not in ignore and not same(a, b):
            return False
    return True


def same_texts(a: Mapping[str, str], b: Mapping[str, str]) -> bool:
    """Whether two maps of texts are equal; messages' own comparison makes dictionaries of both."""
    if len(a) != len(b):
        return False
    for key in a:  # items() of a protobuf map is slower
        if key not in b or b[key] != a[key]:
            return False
    return True


@cache
def _fields(descriptor: Descriptor) -> tuple[tuple[str, _Same], ...]:
    return tuple((field.name, _same_field(field)) for field in descriptor.fields)


def _same_field(field: FieldDescriptor) -> _Same:
    name = field.name
    if (value_field := map_value(field)) is not None:
        return _same_map(name, _same_value(value_field))
    same = _same_value(field)
    if field.is_repeated:
        return _same_list(name, same)
    if is_pointer(field) and not is_inline(field):
        return lambda a, b: a.HasField(name) == b.HasField(name) and same(getattr(a, name), getattr(b, name))
    return lambda a, b: same(getattr(a, name), getattr(b, name))


def _same_map(name: str, same: _Same) -> _Same:
    def same_map(a: Any, b: Any) -> bool:
        left, right = getattr(a, name), getattr(b, name)
        return len(left) == len(right) and all(key in right and same(left[key], right[key]) for key in left)

    return same_map


def _same_list(name: str, same: _Same) -> _Same:
    def same_list(a: Any, b: Any) -> bool:
        left, right = getattr(a, name), getattr(b, name)
        return bool(left == right) or (len(left) == len(right) and all(map(same, left, right)))

    return same_list


def _same_value(field: FieldDescriptor) -> _Same:
    if field.message_type is None:
        return lambda a, b: bool(a == b)
    return _SPECIAL.get(field.message_type.full_name, semantic_equal)


def _same_quantity(a: meta.Quantity, b: meta.Quantity) -> bool:
    if a.string == b.string:
        return True
    try:
        return quantity.compare(a.string or "0", b.string or "0") == 0
    except BadRequestError:  # text that is no quantity equals only itself
        return False


def _same_int_or_string(a: meta.IntOrString, b: meta.IntOrString) -> bool:
    return int_or_string.to_plain(a) == int_or_string.to_plain(b)


def _same_time(a: meta.Time | meta.MicroTime, b: meta.Time | meta.MicroTime) -> bool:
    # Go's zero time is encoded as a message without fields: that is no time at all, and not the epoch.
    return a.HasField("seconds") == b.HasField("seconds") and a.seconds == b.seconds and a.nanos == b.nanos


_SPECIAL: Mapping[str, _Same] = MappingProxyType(
    {
        meta.Quantity.DESCRIPTOR.full_name: _same_quantity,
        meta.IntOrString.DESCRIPTOR.full_name: _same_int_or_string,
        meta.Time.DESCRIPTOR.full_name: _same_time,
        meta.MicroTime.DESCRIPTOR.full_name: _same_time,
    }
)
