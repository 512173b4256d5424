"""YAML whose values know the line they stand on, so that an error can name it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from rollplane_machinery.errors import InvalidError
from rollplane_machinery.yaml_faults import yaml_fault


def read_lines(text: str, source: str) -> tuple[Any, dict[str, int]]:
    """Return the document, and the line (from 1) of each path in it: ``steps[1].when``; raises InvalidError."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise InvalidError(f"{source}: not YAML: {yaml_fault(exc)}") from exc
    return document, dict(_paths(node, "")) if node is not None else {}


def _paths(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}".lstrip(".")
            yield inner, key.start_mark.line + 1
            yield from ((each, line) for each, line in _paths(value, inner) if each != inner)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _paths(value, f"{path}[{position}]")


def line_of(path: str, lines: Mapping[str, int]) -> int:
    """Return the line of ``path`` by what ``read_lines`` returned, or of the nearest there is around it."""
    while path and path not in lines:
        path = path.rpartition(".")[0] if path.rfind(".") > path.rfind("[") else path.rpartition("[")[0]
    return lines.get(path, 1)
