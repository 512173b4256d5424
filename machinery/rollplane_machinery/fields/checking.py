"""Whether the items of an applied configuration can be told apart.

Source: structured-merge-diff typed/validate.go and helpers.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_machinery.fields.elements import Element, Path, field_element, key_element, printed
from rollplane_machinery.fields.schema import ListOf, MapOf, Node, SetOf, Struct
from rollplane_machinery.patch.json_value import Json

_NO_KEYS = key_element({})


def check_items(document: Json, node: Node, path: Path = ()) -> Iterator[str]:
    """Yield a sentence, its path first, for each item without keys and for each that is there again."""
    if isinstance(node, Struct | MapOf) and isinstance(document, dict):
        for name, member in document.items():
            inside = node.member(name)
            if inside is not None:
                yield from check_items(member, inside, (*path, field_element(name)))
    elif isinstance(node, ListOf | SetOf) and isinstance(document, list):
        yield from _check_list(document, node, path)


def _check_list(items: list[Json], node: ListOf | SetOf, path: Path) -> Iterator[str]:
    seen = set[Element]()
    for index, item in enumerate(items):
        step = node.step(item)
        if why := _fault(index, item, node, seen):
            yield f"{printed(path)}: {why}"
        else:
            seen.add(step)
            yield from check_items(item, node.element, (*path, step))


def _fault(index: int, item: Json, node: ListOf | SetOf, seen: set[Element]) -> str:
    step = node.step(item)
    if item is None:
        return f"element {index}: a list whose items are told apart cannot hold null"
    if step == _NO_KEYS and isinstance(node, ListOf):
        return f"element {index}: associative list with keys has an element that omits all of {list(node.keys)}"
    return f"duplicate entries for key {printed((step,))}" if step in seen else ""
