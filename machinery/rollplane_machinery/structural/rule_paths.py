"""Paths that a rule may name as the field it tells of: ``.spec.replicas``, ``.limits['cpu']``.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go, ValidFieldPath.
"""

from __future__ import annotations

import re

from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.schema import Structural

_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\['(?P<quoted>(?:\\.|[^'\\])*)'\]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANING = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def field_path(text: str, node: Structural) -> str | None:
    """Return the path ``text`` as causes name it, None where it does not lead to a field of ``node``."""
    position, found = 0, ""
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            return None
        name = step["name"] or _ESCAPE.sub(lambda match: _MEANING.get(match[1], match[1]), step["quoted"] or "")
        inner = node.properties.get(name) if node.properties else node.element
        if inner is None:
            return None
        found = join(found, name) if node.properties else f"{found}[{name}]"
        node, position = inner, step.end()
    return found or None
