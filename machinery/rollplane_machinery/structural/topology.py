"""What server-side apply knows of custom objects, from their schema.

Source: kubernetes/kube-openapi pkg/schemaconv/openapi.go.
"""

from __future__ import annotations

from types import MappingProxyType

from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.fields.schema import DEDUCED, LEAF, ListOf, MapOf, Node, SetOf, Struct, node_of
from rollplane_machinery.fields.values import ABSENT
from rollplane_machinery.patch.json_value import Json
from rollplane_machinery.structural.schema import Structural

_METADATA = node_of(ObjectMeta.DESCRIPTOR)


def object_node(root: Structural) -> Struct:
    """Return what whole custom objects are, whose type nobody owns."""
    node = _Nodes().object(root)
    members = node.members if isinstance(node, Struct) else {}
    own = {"apiVersion": None, "kind": None, "metadata": _METADATA}
    return Struct(MappingProxyType({**members, **own}), node.other if isinstance(node, Struct) else node.element)


class _Nodes:
    """The nodes of one schema; a schema that holds itself is one node that does."""

    def __init__(self) -> None:
        self._structs: dict[Structural, Struct] = {}

    def value(self, value: Structural) -> Node:
        match value.type:
            case "object":
                return LEAF if value.is_atomic_map else self.object(value)
            case "array":
                return self._list(value)
            case "":
                return DEDUCED if value.preserves_unknown and not value.is_int_or_string else LEAF
        return LEAF

    def object(self, value: Structural) -> Struct | MapOf:
        if value in self._structs:
            return self._structs[value]
        other = self._other(value)
        if not value.properties and not value.is_embedded and other is not None:
            return MapOf(other)
        members: dict[str, Node | None] = {}
        self._structs[value] = node = Struct(MappingProxyType(members), other)
        members.update((name, self.value(each)) for name, each in value.properties.items())
        if value.is_embedded:
            members |= {"apiVersion": LEAF, "kind": LEAF, "metadata": _METADATA}
        return node

    def _other(self, value: Structural) -> Node | None:
        if value.element is not None:
            return self.value(value.element)
        return DEDUCED if value.preserves_unknown or value.additional is True else None

    def _list(self, value: Structural) -> Node:
        items = value.items
        if value.list_type == "set":
            return SetOf(LEAF)
        if value.list_type == "map" and items is not None:
            return ListOf(self.value(items), {name: key_default(items, name) for name in sorted(value.map_keys)})
        return LEAF


def key_default(items: Structural, name: str) -> Json:
    """Return what the key ``name`` is where an item leaves it out, None where it must not."""
    key = items.properties.get(name)
    return None if key is None or key.default is ABSENT else key.default
