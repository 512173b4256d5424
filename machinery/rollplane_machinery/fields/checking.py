"""Whether the items of an applied configuration can be told apart.

Source: structured-merge-diff typed/validate.go and helpers.go.
"""

from __future__ import annotations

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.elements import Path, field_element, key_element, printed
from rollplane_machinery.fields.schema import ListOf, MapOf, Node, SetOf, Struct
from rollplane_machinery.patch.json_value import Json

_NO_KEYS = key_element({})


def check_items(document: Json, node: Node, path: Path = ()) -> None:
    """Raise BadRequestError, with its path, for an item without keys and for one that is there twice."""
    if isinstance(node, Struct | MapOf) and isinstance(document, dict):
        for name, member in document.items():
            inside = node.member(name)
            if inside is not None:
                check_items(member, inside, (*path, field_element(name)))
    elif isinstance(node, ListOf | SetOf) and isinstance(document, list):
        _check_list(document, node, path)


def _check_list(items: list[Json], node: ListOf | SetOf, path: Path) -> None:
    seen = set()
    for index, item in enumerate(items):
        step = node.step(item)
        if item is None:
            _refuse(path, f"element {index}: a list whose items are told apart cannot hold null")
        if step == _NO_KEYS and isinstance(node, ListOf):
            _refuse(
                path, f"element {index}: associative list with keys has an element that omits all of {list(node.keys)}"
            )
        if step in seen:
            _refuse(path, f"duplicate entries for key {printed((step,))}")
        seen.add(step)
        check_items(item, node.element, (*path, step))


def _refuse(path: Path, why: str) -> None:
    raise BadRequestError(f"failed to create typed patch object: {printed(path)}: {why}")
