"""Objects to YAML, as kubectl prints it.

Names are sorted the way kubectl's YAML library sorts them, strings are quoted only where a reader could take them for
something else, and text of several lines is a literal block.

Source of the rules: kubernetes-sigs/yaml goyaml.v2/encode.go and sorter.go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cmp_to_key
from typing import Any

import yaml
from google.protobuf.message import Message

from rollplane_machinery.codec.objects import to_json
from rollplane_machinery.codec.problems import Json
from rollplane_machinery.codec.scalars import needs_quotes
from rollplane_machinery.errors import InternalError

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NO_FOLDING = 2**31 - 1


def dump_yaml(value: Message | Mapping[str, Json]) -> str:
    """Return an object, or any JSON object, as one YAML document, ending in a line break.

    Raises InternalError when raw JSON inside is none, or nested too deeply to be printed.
    """
    data = to_json(value) if isinstance(value, Message) else value
    events: list[yaml.Event] = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    try:
        _append_events(data, events.append)
    except RecursionError as exc:
        raise InternalError("nested too deeply to be printed as YAML") from exc
    events += [yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]
    text: str = yaml.emit(events, Dumper=_DUMPER, width=_NO_FOLDING, allow_unicode=True)
    return text


def _append_events(value: Json, append: Callable[[yaml.Event], None]) -> None:
    """Events say all there is to say here; PyYAML's representer would double the time."""
    if isinstance(value, str):
        append(_scalar(value, "|" if "\n" in value else '"' if needs_quotes(value) else None))
    elif isinstance(value, Mapping):
        append(yaml.MappingStartEvent(None, None, True, flow_style=False))
        for name in sort_names(value):
            _append_events(name, append)
            _append_events(value[name], append)
        append(yaml.MappingEndEvent())
    elif isinstance(value, list):
        append(yaml.SequenceStartEvent(None, None, True, flow_style=False))
        for item in value:
            _append_events(item, append)
        append(yaml.SequenceEndEvent())
    else:
        append(_scalar(json.dumps(value), None))


def _scalar(text: str, style: str | None) -> yaml.ScalarEvent:
    """The emitter quotes a plain scalar if its characters demand it."""
    return yaml.ScalarEvent(None, None, (True, True), text, style=style)


def sort_names(names: Mapping[str, Json]) -> list[str]:
    """Return ``names`` in kubectl's order: numbers inside them by value, and letters after all other characters."""
    if all(name.isalpha() for name in names):
        return sorted(names)
    return sorted(names, key=cmp_to_key(_compare_names))


def _compare_names(left: str, right: str) -> int:
    """At the first character that differs, two letters compare by code point and two runs of digits by value.

    Of a letter and another character the letter comes last, or first when it ends a number (``a1b`` before ``a1-``).
    """
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if at is None:
        return len(left) - len(right)
    a, b = left[at], right[at]
    if a.isalpha() and b.isalpha():
        return ord(a) - ord(b)
    if a.isalpha() or b.isalpha():
        ends_number = at > 0 and left[at - 1].isdigit()
        return -1 if a.isalpha() == ends_number else 1
    first, second = _number_at(left, at), _number_at(right, at)
    return (first > second) - (first < second) or ord(a) - ord(b)


def _number_at(name: str, at: int) -> tuple[int, int]:
    """Return value and length of the digits that stand at ``at``, with those right before it."""
    end = at
    while end < len(name) and name[end].isdecimal():
        end += 1
    start = at
    while start > 0 and name[start - 1].isdecimal():
        start -= 1
    return int(name[start:end] or "0") if end > at else -1, end - at
