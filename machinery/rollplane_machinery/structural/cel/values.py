"""Values as rules see them: numbers by their declared type, times and durations as such, names that rules can write.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/cel/values.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.cel.escaping import escaped
from rollplane_machinery.structural.schema import Structural

Adapt = Callable[[Json], Any]
"""Returns what rules see of a JSON value."""

_NANOS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_PART = re.compile(r"(\d+)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


def adapted(value: Json, node: Structural) -> Any:
    """Return what rules see of ``value``, which has the schema ``node``; the value itself where that is the same."""
    adapt = _adapter(node)
    return value if adapt is None else adapt(value)


@cache
def _adapter(node: Structural) -> Adapt | None:
    match node.type:
        case "object":
            return _object(node)
        case "array":
            adapt = None if node.items is None else _adapter(node.items)
            return None if adapt is None else _list(adapt)
        case "number":
            return _double
        case "string":
            return _FORMATS.get(node.format)
    return None


def _object(node: Structural) -> Adapt | None:
    if node.element is not None:
        adapt = _adapter(node.element)
        return None if adapt is None else _map(adapt)
    names = {name: new for name in node.properties if (new := escaped(name)) not in (None, name)}
    adapters = {name: adapt for name, each in node.properties.items() if (adapt := _adapter(each)) is not None}
    if not names and not adapters:
        return None

    def adapt_object(value: Json) -> Any:
        if not isinstance(value, dict):
            return value
        return {names.get(name, name): _by(adapters.get(name), member) for name, member in value.items()}

    return adapt_object


def _by(adapt: Adapt | None, value: Json) -> Any:
    return value if adapt is None else adapt(value)


def _list(adapt: Adapt) -> Adapt:
    return lambda value: [adapt(item) for item in value] if isinstance(value, list) else value


def _map(adapt: Adapt) -> Adapt:
    return lambda value: {name: adapt(each) for name, each in value.items()} if isinstance(value, dict) else value


def _double(value: Json) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _date(value: Json) -> Any:
    return _time(f"{value}T00:00:00Z") if isinstance(value, str) else value


def _time(value: Json) -> Any:
    found = Timestamp()
    try:
        found.FromJsonString(str(value).upper())
    except ValueError:
        return value
    return found


def _duration(value: Json) -> Any:
    if not isinstance(value, str):
        return value
    found, total = Duration(), sum(map(_nanos, _PART.findall(value)))
    found.FromNanoseconds(-total if value.startswith("-") else total)
    return found


def _nanos(part: tuple[str, str, str]) -> int:
    whole, fraction, unit = part
    shift: int = 10 ** len(fraction)
    return int(whole) * _NANOS[unit] + int(fraction or "0") * _NANOS[unit] // shift


def _bytes(value: Json) -> Any:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error:
        return value


_FORMATS: dict[str, Adapt] = {"byte": _bytes, "date": _date, "date-time": _time, "duration": _duration}
