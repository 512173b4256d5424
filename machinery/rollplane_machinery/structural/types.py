"""JSON types as schemas name them.

Source: kubernetes/kube-openapi pkg/validation/validate/type.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

TYPES: Mapping[type, str] = MappingProxyType(
    {
        bool: "boolean",
        str: "string",
        int: "integer",
        float: "number",
        list: "array",
        dict: "object",
        type(None): "null",
    }
)
"""What values are called, by their Python type."""

FORMAT_OF: Mapping[type, str] = MappingProxyType({bool: "", int: "int64", float: "float64", dict: ""})
"""What is told instead of the type where a format was wanted."""


def type_name(kind: type) -> str:
    """Return what values of the Python type ``kind`` are called."""
    return TYPES[kind]


def accepts(types: Sequence[str], kind: type) -> bool:
    """Whether every value of ``kind`` has one of ``types``; whole numbers are numbers."""
    return TYPES[kind] in types or (kind is int and "number" in types)
