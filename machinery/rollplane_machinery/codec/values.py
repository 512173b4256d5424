"""Messages and scalars that have a JSON form of their own: how each is printed and read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rollplane.authentication.v1 import ExtraValue
from rollplane.meta import v1 as meta
from rollplane.stored.v1 import AnyValue
from rollplane_machinery import int_or_string, quantity
from rollplane_machinery.codec import time_text
from rollplane_machinery.codec.problems import Json, Path, Report
from rollplane_machinery.errors import BadRequestError, InternalError

_INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class SpecialType:
    """The JSON form of a message type that is no JSON object.

    ``read`` fills an empty message and reports what it cannot read; it is never given null. ``empty`` is what a field
    that is always printed shows when it is absent.
    """

    print: Callable[[Any], Json]
    read: Callable[[Any, Json, Path, Report], None]
    empty: Json = None


def _read_time(message: meta.Time, value: Json, path: Path, report: Report) -> None:
    try:
        message.seconds = time_text.parse_time(_text(value))[0]
        message.nanos = 0
    except ValueError:
        report.mismatch(path, "an RFC 3339 time", value)


def _read_micro_time(message: meta.MicroTime, value: Json, path: Path, report: Report) -> None:
    try:
        message.seconds, nanos = time_text.parse_time(_text(value))
        message.nanos = nanos // 1000 * 1000
    except ValueError:
        report.mismatch(path, "an RFC 3339 time", value)


def _print_duration(message: meta.Duration) -> str:
    return time_text.format_duration(message.duration)


def _read_duration(message: meta.Duration, value: Json, path: Path, report: Report) -> None:
    try:
        message.duration = time_text.parse_duration(_text(value))
    except ValueError:
        report.mismatch(path, "a duration such as 1h30m", value)


def _print_quantity(message: meta.Quantity) -> str:
    """An amount that is none (only validation may refuse it) is shown as it stands."""
    try:
        return quantity.canonical(message.string) if message.string else "0"
    except BadRequestError:
        return message.string


def _read_quantity(message: meta.Quantity, value: Json, path: Path, report: Report) -> None:
    """Kubernetes takes a bare number too (``cpu: 1``), and keeps any spelling in its canonical form."""
    text = str(value) if value.__class__ in (int, float) else value
    try:
        message.string = quantity.canonical(_text(text))
    except (BadRequestError, ValueError):
        report.mismatch(path, "a quantity such as 500m or 2Gi", value)


def _read_int_or_string(message: meta.IntOrString, value: Json, path: Path, report: Report) -> None:
    if value.__class__ is not str and not (value.__class__ is int and value in _INT32):
        report.mismatch(path, "32-bit integer or string", value)
        return
    try:
        message.CopyFrom(int_or_string.of(value))
    except UnicodeEncodeError:
        report.invalid(path, "is not valid Unicode")


def _print_raw(message: meta.RawExtension | meta.FieldsV1) -> Json:
    return _parsed(message.raw)


def _parsed(text: bytes) -> Json:
    """Raise InternalError when the bytes, which no check has seen, are not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant) if text else None
    except (ValueError, RecursionError) as exc:
        raise InternalError("a stored object holds raw data that is not JSON") from exc


def _read_raw(message: meta.RawExtension | meta.FieldsV1, value: Json, path: Path, report: Report) -> None:
    message.raw = _dumped(value, path, report)


def _dumped(value: Json, path: Path, report: Report) -> bytes:
    """Names are sorted, so that equal JSON is equal bytes; Kubernetes makes such data from Go maps, which sort too."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()
    except (ValueError, TypeError, RecursionError):
        report.invalid(path, "cannot be written as JSON")
        return b""


def _print_any(message: AnyValue) -> Json:
    return _parsed(message.json)


def _read_any(message: AnyValue, value: Json, path: Path, report: Report) -> None:
    message.json = _dumped(value, path, report)


def _print_extra(message: ExtraValue) -> Json:
    return list(message.items)


def _read_extra(message: ExtraValue, value: Json, path: Path, report: Report) -> None:
    if not isinstance(value, list):
        report.mismatch(path, "array", value)
        return
    for index, item in enumerate(value):
        if item.__class__ is str:
            message.items.append(item)
        else:
            report.mismatch((path, index), "string", item)


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _text(value: Json) -> str:
    if value.__class__ is not str:
        raise ValueError("not a string")
    text: str = value
    return text


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard base64, in which line breaks do not count; raises ValueError."""
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", "").encode("ascii"), validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc


def encode_base64(value: bytes) -> str:
    """Return ``value`` in standard base64."""
    return base64.b64encode(value).decode("ascii")


SPECIAL_TYPES: Mapping[str, SpecialType] = MappingProxyType(
    {
        message.DESCRIPTOR.full_name: special
        for message, special in (
            (meta.Time, SpecialType(time_text.format_time, _read_time)),
            (meta.MicroTime, SpecialType(time_text.format_micro_time, _read_micro_time)),
            (meta.Duration, SpecialType(_print_duration, _read_duration, "0s")),
            (meta.Quantity, SpecialType(_print_quantity, _read_quantity, "0")),
            (meta.IntOrString, SpecialType(int_or_string.to_plain, _read_int_or_string, 0)),
            (meta.RawExtension, SpecialType(_print_raw, _read_raw)),
            (meta.FieldsV1, SpecialType(_print_raw, _read_raw)),
            (AnyValue, SpecialType(_print_any, _read_any)),
            (ExtraValue, SpecialType(_print_extra, _read_extra)),
        )
    }
)
"""The special types by the full names of their messages."""
