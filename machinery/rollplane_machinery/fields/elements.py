"""One step of a field's path, as text: ``f:`` a member by name, ``k:`` a list item by its keys, ``v:`` one by value.

The text is the canonical one of FieldsV1, so that equal steps are equal strings.

Source: structured-merge-diff fieldpath/element.go and serialize-pe.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from rollplane_machinery.patch.json_value import Json

Element: TypeAlias = str
Path: TypeAlias = tuple[Element, ...]

_FIELD, _KEY, _VALUE, _INDEX = "f:", "k:", "v:", "i:"
_RANKS = {_FIELD: 0, _KEY: 1, _VALUE: 2, _INDEX: 3}
_REMEMBERED = 8192
# Go's encoder writes these so, whatever the text is for.
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def field_element(name: str) -> Element:
    """Return the step to the member ``name`` of an object or map."""
    return _FIELD + name


def key_element(keys: Mapping[str, Json]) -> Element:
    """Return the step to the list item with these ``keys``."""
    return _KEY + _dumps(keys)


def value_element(value: Json) -> Element:
    """Return the step to the item ``value`` of a set."""
    return _VALUE + _dumps(value)


def index_element(index: int) -> Element:
    """Return the step to the item at ``index`` of a list that is owned as a whole."""
    return f"{_INDEX}{index}"


def field_name(element: Element) -> str | None:
    """Return the name of the member that ``element`` steps to; None for list items."""
    return element[len(_FIELD) :] if element.startswith(_FIELD) else None


def canonical(text: str) -> Element | None:
    """Return ``text`` from FieldsV1 as an element, None for a type of step that is not known.

    Raises ValueError for what is no step.
    """
    kind, rest = text[:2], text[2:]
    if kind == _FIELD:
        return text
    if kind == _INDEX:
        return f"{_INDEX}{int(rest)}"
    if kind == _VALUE:
        return value_element(json.loads(rest))
    if kind == _KEY:
        keys = json.loads(rest)
        if not isinstance(keys, dict):
            raise ValueError(f"{text!r} has no keys")
        return key_element(keys)
    if len(kind) < len(_FIELD) or kind[1] != ":":
        raise ValueError(f"{text!r} is no step of a path")
    return None


@lru_cache(_REMEMBERED)
def sort_key(element: Element) -> tuple[Any, ...]:
    """Return what elements are ordered by in FieldsV1: members, keys, values; numbers before text, each by value."""
    kind, rest = element[:2], element[2:]
    if kind == _FIELD:
        return (_RANKS[kind], rest)
    value = json.loads(rest)
    if kind == _KEY:
        return (_RANKS[kind], [(name, _value_key(each)) for name, each in value.items()])
    return (_RANKS[kind], _value_key(value))


def printed(path: Path) -> str:
    """Return ``path`` as errors name it: ``.spec.containers[name="web"].image``, ``.metadata.finalizers[="x"]``."""
    return "".join(map(_printed, path))


def _printed(element: Element) -> str:
    kind, rest = element[:2], element[2:]
    if kind == _FIELD:
        return f".{rest}"
    value = json.loads(rest)
    if kind == _KEY:
        return f"[{','.join(f'{name}={_quoted(each)}' for name, each in value.items())}]"
    return f"[={_quoted(value)}]" if kind == _VALUE else f"[{rest}]"


def _quoted(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value_key(value: Json) -> tuple[int, Any]:
    if isinstance(value, bool):
        return (2, value)
    if isinstance(value, int | float):
        return (0, value)
    return (1, value) if isinstance(value, str) else (3, _dumps(value))


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).translate(_ESCAPES)
