"""Hypothesis strategies for messages of any type, derived from descriptors; see ``messages``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

from rollplane.meta import v1 as meta
from rollplane.stored.v1 import AnyValue, StoredObject
from rollplane_machinery import int_or_string
from rollplane_machinery.codec import from_json, message_to_json
from rollplane_machinery.codec.fields import is_inline, is_pointer, json_fields, map_value, message_of
from rollplane_machinery.kinds import KINDS, ApiObject, Kind

_M = TypeVar("_M", bound=Message)

MAX_FIELDS = 5
MAX_DEPTH = 6

# YAML takes 2.0 for 2, as Kubernetes' tools do, so a number with no fraction is an integer here.
_fractions = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _fractions | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""

quantities = st.sampled_from(["0", "1", "100m", "1500m", "2Gi", "1536Mi", "64Ki", "5k", "3M", "1e6", "7u", "-1"])
"""Quantities as Kubernetes stores them."""

_seconds = st.integers(-62_135_596_800, 253_402_300_799)
_int32 = st.integers(-(2**31), 2**31 - 1)
_text = st.text(max_size=12) | st.sampled_from(
    ["yes", "0644", "1e3", "~", "22:30", "2020-01-01", "a: b", "- x", "l1\nl2\n", "#"]
)

_SPECIAL: Mapping[str, st.SearchStrategy[Message]] = {
    "Time": st.builds(meta.Time, seconds=_seconds, nanos=st.just(0)),
    "MicroTime": st.builds(meta.MicroTime, seconds=_seconds, nanos=st.integers(0, 999_999).map(lambda n: n * 1000)),
    "Duration": st.builds(meta.Duration, duration=st.integers(-(2**63) + 1, 2**63 - 1)),
    "Quantity": st.builds(meta.Quantity, string=quantities),
    "IntOrString": (_int32 | st.sampled_from(["25%", "http", ""])).map(int_or_string.of),
    "RawExtension": json_values.filter(lambda value: value is not None).map(lambda v: meta.RawExtension(raw=_raw(v))),
    "AnyValue": json_values.filter(lambda value: value is not None).map(lambda v: AnyValue(json=_raw(v))),
    "FieldsV1": st.dictionaries(st.text(), json_values, max_size=3).map(lambda v: meta.FieldsV1(raw=_raw(v))),
}
_SPECIAL_PACKAGES = ("rollplane.meta.v1", "rollplane.stored.v1")
_SCALARS: Mapping[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: _int32,
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8),
}


def _raw(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def messages(message_type: type[_M], *, zeros: bool = False) -> st.SearchStrategy[_M]:
    """Return a strategy for messages of ``message_type`` in the form in which the codec reads them.

    Each message has up to five fields set, to a depth of six. With ``zeros`` they may also hold zeros and empty structs
    where these mean the same as absent, as Kubernetes' own encoding has them.
    """

    @st.composite
    def draw_one(draw: st.DrawFn) -> _M:
        message = message_type()
        _fill(draw, message, MAX_DEPTH, zeros)
        return message

    return draw_one()


def objects(*, zeros: bool = False) -> st.SearchStrategy[ApiObject]:
    """Return a strategy for objects of every kind."""
    return st.sampled_from(KINDS).flatmap(lambda kind: of_kind(kind, zeros=zeros))


def of_kind(kind: Kind, *, zeros: bool = False) -> st.SearchStrategy[ApiObject]:
    """Return a strategy for objects of ``kind``; those that are kept as JSON look as Kubernetes' message of it does."""
    if not kind.is_stored_only:
        return messages(kind.message, zeros=zeros)

    def kept(shaped: Message) -> ApiObject:
        if isinstance(shaped, StoredObject):
            shaped.api_version, shaped.kind = kind.api_version, kind.name
            return shaped
        return from_json({"apiVersion": kind.api_version, "kind": kind.name, **message_to_json(shaped)})

    return messages(GetMessageClass(kind.shape), zeros=zeros).map(kept)


def _fill(draw: st.DrawFn, message: Message, depth: int, zeros: bool) -> None:
    fields: list[Any] = [
        field
        for field in json_fields(cast("Descriptor", message.DESCRIPTOR))
        if depth > 0 or field.message_type is None
    ]
    if not fields:
        return
    for field in draw(st.lists(st.sampled_from(fields), max_size=MAX_FIELDS, unique=True)):
        _set(draw, message, field, depth, zeros)


def _set(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int, zeros: bool) -> None:
    value_field = map_value(field)
    if value_field is not None:
        entries = getattr(message, field.name)
        for name in draw(st.lists(_text, max_size=3, unique=True)):
            _put(entries, name, _value(draw, value_field, depth, zeros))
    elif field.is_repeated:
        count = draw(st.integers(0, 3))
        getattr(message, field.name).extend(_value(draw, field, depth, zeros) for _ in range(count))
    else:
        value = _value(draw, field, depth, zeros)
        if zeros or not _is_absent(field, value):
            _assign(message, field, value)


_ZERO_VALUES = (meta.Quantity(string="0"), int_or_string.of(0), meta.Duration(duration=0))


def _is_absent(field: FieldDescriptor, value: Any) -> bool:
    """Whether ``value`` in ``field`` means the same as not setting it."""
    is_empty = value.ByteSize() == 0 or value in _ZERO_VALUES if isinstance(value, Message) else not value
    return bool(is_empty and (is_inline(field) or not is_pointer(field)))


def _value(draw: st.DrawFn, field: FieldDescriptor, depth: int, zeros: bool) -> Any:
    if field.message_type is None:
        return draw(_SCALARS[field.type])
    special = _special(message_of(field))
    if special is not None:
        return draw(special)
    part = GetMessageClass(field.message_type)()
    _fill(draw, part, depth - 1, zeros)
    return part


def _special(descriptor: Descriptor) -> st.SearchStrategy[Message] | None:
    return _SPECIAL.get(descriptor.name) if descriptor.file.package in _SPECIAL_PACKAGES else None


def _put(entries: Any, name: str, value: Any) -> None:
    if isinstance(value, Message):
        entries[name].CopyFrom(value)
    else:
        entries[name] = value


def _assign(message: Message, field: FieldDescriptor, value: Any) -> None:
    if isinstance(value, Message):
        getattr(message, field.name).CopyFrom(value)
    else:
        setattr(message, field.name, value)
