"""A structural schema as a tree, one node for each schema of the document.

A structural schema tells the shape of objects apart from what restricts their values: types, properties and items stand
outside of ``allOf``, ``anyOf``, ``oneOf`` and ``not``. So every value has one node, whatever the value is.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/structural.go and convert.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from rollplane_machinery.fields.values import ABSENT, Value
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.formats import known_format

Document: TypeAlias = Mapping[str, Any]
"""A schema as a CustomResourceDefinition has it, JSON values throughout."""

INT_OR_STRING = ("integer", "string")
META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})
"""What an object says about itself; it is there whatever its schema says."""


@dataclass(frozen=True, slots=True, eq=False)
class Structural:
    """What is known of one value.

    ``types`` are the JSON types it may have, none where anything goes. ``additional`` is what members are that
    ``properties`` do not name: a schema, True for anything, False for nothing, None where it was not said.
    ``format`` is empty where it means nothing to Kubernetes. ``document`` is the schema as it was written, which holds
    what restricts the value.
    """

    document: Document
    types: Sequence[str] = ()
    format: str = ""
    nullable: bool = False
    default: Value = ABSENT
    properties: Mapping[str, Structural] = field(default_factory=lambda: MappingProxyType({}))
    additional: Structural | bool | None = None
    items: Structural | None = None
    preserves_unknown: bool = False
    is_embedded: bool = False
    is_int_or_string: bool = False
    all_of: Sequence[Structural] = ()
    any_of: Sequence[Structural] = ()
    one_of: Sequence[Structural] = ()
    none_of: Structural | None = None

    @property
    def type(self) -> str:
        """The one type that the document names, empty where it names none."""
        return "" if self.is_int_or_string or len(self.types) != 1 else self.types[0]

    @property
    def element(self) -> Structural | None:
        """What members are that ``properties`` do not name, None where nothing is known of them."""
        return self.additional if isinstance(self.additional, Structural) else None

    @property
    def list_type(self) -> str:
        """``set``, ``map`` or ``atomic``, which is also what a list is that does not say."""
        return self.document.get("x-kubernetes-list-type") or "atomic"

    @property
    def map_keys(self) -> Sequence[str]:
        """The names of the members that tell items of a ``map`` apart."""
        return self.document.get("x-kubernetes-list-map-keys") or ()

    @property
    def is_atomic_map(self) -> bool:
        """Whether the object is one value, of which nobody owns a part."""
        return self.document.get("x-kubernetes-map-type") == "atomic"

    def member(self, name: str) -> Structural | None:
        """Return what the member ``name`` is, None where nothing is known of it."""
        return self.properties.get(name) or self.element

    def children(self) -> Iterator[tuple[str, Structural]]:
        """Yield the nodes right below, each with its path in the document."""
        for name, node in self.properties.items():
            yield f"properties[{name}]", node
        if self.element is not None:
            yield "additionalProperties", self.element
        if self.items is not None:
            yield "items", self.items

    def junctors(self) -> Iterator[tuple[str, Structural]]:
        """Yield the nodes of ``allOf``, ``anyOf``, ``oneOf`` and ``not``, each with its path in the document."""
        for name, nodes in (("allOf", self.all_of), ("anyOf", self.any_of), ("oneOf", self.one_of)):
            for index, node in enumerate(nodes):
                yield f"{name}[{index}]", node
        if self.none_of is not None:
            yield "not", self.none_of


def has_rules(node: Structural) -> bool:
    """Whether the schema has rules (x-kubernetes-validations), at ``node`` or below it."""
    if node.document.get("x-kubernetes-validations"):
        return True
    return any(has_rules(child) for _, child in node.children())


def read(document: Document, release: Release = LATEST) -> Structural:
    """Return ``document`` as a tree; its members have the types they should have, which ``shape`` looks after."""

    def several(documents: Sequence[Document] | None) -> Sequence[Structural]:
        return tuple(read(each, release) for each in documents or ())

    def optional(said: Any) -> Structural | None:
        return read(said, release) if isinstance(said, dict) else None

    is_int_or_string = document.get("x-kubernetes-int-or-string") is True
    kind = document.get("type") or ""
    return Structural(
        document=document,
        types=INT_OR_STRING if is_int_or_string else (kind,) if kind else (),
        format="" if is_int_or_string else known_format(kind, document.get("format") or "", release),
        nullable=document.get("nullable") is True,
        default=ABSENT if document.get("default") is None else document["default"],
        properties={name: read(each, release) for name, each in (document.get("properties") or {}).items()},
        additional=said if isinstance(said := document.get("additionalProperties"), bool) else optional(said),
        items=optional(document.get("items")),
        preserves_unknown=document.get("x-kubernetes-preserve-unknown-fields") is True,
        is_embedded=document.get("x-kubernetes-embedded-resource") is True,
        is_int_or_string=is_int_or_string,
        all_of=several(document.get("allOf")),
        any_of=several(document.get("anyOf")),
        one_of=several(document.get("oneOf")),
        none_of=optional(document.get("not")),
    )
