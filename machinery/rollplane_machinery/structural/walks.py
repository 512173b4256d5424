"""Walks over values to the few places where a schema asks for a check that goes by the shape of objects alone.

Most of a schema asks for nothing, and is not walked at all. Unlike the checks of ``checks``, these name members of maps
as keys: ``spec.limits[cpu]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollplane_machinery.errors import Cause
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.schema import Structural

Look = Callable[[Json, str], Sequence[Cause]]
"""Returns what is wrong with the value that stands at a path."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where something is asked for, at the node itself or below it."""

    look: Look | None
    properties: Mapping[str, Structural]
    element: Structural | None
    items: Structural | None


class Walk:
    """The walk over values of ``root`` that calls what ``look_of`` returns for a node, where it returns something."""

    def __init__(self, root: Structural, look_of: Callable[[Structural], Look | None]) -> None:
        self._root = root
        looks = {node: look for node in _reachable(root) if (look := look_of(node)) is not None}
        wanted = ancestors(root, set(looks))
        self._stops = {node: _stop(node, looks.get(node), wanted) for node in wanted}

    def causes(self, value: Json, path: str = "") -> list[Cause]:
        """Return what is wrong with ``value``, which stands at ``path``."""
        return list(self._walked(self._root, value, path))

    def _walked(self, node: Structural, value: Json, path: str) -> Iterator[Cause]:
        stop = self._stops.get(node)
        if stop is None:
            return
        if stop.look is not None:
            yield from stop.look(value, path)
        if isinstance(value, dict):
            for name, member in value.items():
                if (known := stop.properties.get(name)) is not None:
                    yield from self._walked(known, member, join(path, name))
                elif stop.element is not None and name not in node.properties:
                    yield from self._walked(stop.element, member, f"{path}[{name}]")
        elif isinstance(value, list) and stop.items is not None:
            for index, item in enumerate(value):
                yield from self._walked(stop.items, item, f"{path}[{index}]")


def _stop(node: Structural, look: Look | None, wanted: set[Structural]) -> _Stop:
    properties = {name: each for name, each in node.properties.items() if each in wanted}
    element = node.element if node.element in wanted else None
    return _Stop(look, properties, element, node.items if node.items in wanted else None)


def _reachable(root: Structural) -> list[Structural]:
    """All nodes, each once although a schema may hold itself."""
    seen = {root: None}
    queue = [root]
    while queue:
        for _, child in queue.pop().children():
            if child not in seen:
                seen[child] = None
                queue.append(child)
    return list(seen)


def ancestors(root: Structural, wanted: set[Structural]) -> set[Structural]:
    """Return ``wanted``, and all nodes that lead to them from ``root``."""
    parents: dict[Structural, list[Structural]] = {}
    for node in _reachable(root):
        for _, child in node.children():
            parents.setdefault(child, []).append(node)
    found, queue = set(wanted), list(wanted)
    while queue:
        for parent in parents.get(queue.pop(), ()):
            if parent not in found:
                found.add(parent)
                queue.append(parent)
    return found
