"""Fields of custom objects that a field selector may name: what their definitions say.

Source: kubernetes/apiextensions-apiserver pkg/registry/customresource/strategy.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.kinds import CustomKind
from rollplane_machinery.stored import at, document_of

_METADATA = ("metadata.name", "metadata.namespace")


def custom_field_names(kind: CustomKind) -> tuple[str, ...]:
    """Return the paths that a selector for ``kind`` may name; of a kind that is not described, only the metadata's."""
    paths = () if kind.definition is None else kind.definition.selectable_fields
    return (*(_METADATA if kind.namespaced else _METADATA[:1]), *paths)


class CustomFields(Mapping[str, str]):
    """The text at any path of a custom object; which of them may be asked for, its definition says to who asks."""

    def __init__(self, obj: StoredObject) -> None:
        self._document = document_of(obj)

    def __getitem__(self, path: str) -> str:
        value = at(self._document, tuple(path.split(".")))
        if value is None:
            raise KeyError(path)
        return _text(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)


def custom_field_values(kind: CustomKind, obj: StoredObject) -> list[str]:
    """Return the values of all fields that a selector for ``kind`` may name."""
    paths = custom_field_names(kind)
    if len(paths) <= len(_METADATA):
        return [obj.metadata.name, obj.metadata.namespace]  # for which no document need be made
    fields = CustomFields(obj)
    return [fields.get(path, "") for path in paths]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
