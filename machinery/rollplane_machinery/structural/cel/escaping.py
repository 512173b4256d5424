"""Names of members as rules have to write them.

Source: kubernetes/apiserver pkg/cel/escaping.go.
"""

from __future__ import annotations

import re

_KEYWORDS = (
    "true false null in as break const continue else for function if import let loop package namespace return var void"
)
_RESERVED = frozenset((*_KEYWORDS.split(), "while"))
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII).fullmatch
_ALLOWED = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*", re.ASCII).fullmatch
_PARTS = re.compile(r"__|[-./]")
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}


def escaped(name: str) -> str | None:
    """Return the identifier that stands for the member ``name``; None where no rule can name it."""
    if name in _RESERVED:
        return f"__{name}__"
    if _PLAIN(name) and "__" not in name:
        return name
    return _PARTS.sub(lambda part: _ESCAPES[part[0]], name) if _ALLOWED(name) else None
