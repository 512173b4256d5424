"""A CustomResourceDefinition as its readers want it: names, versions, and what each version's objects are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rollplane_machinery.releases import LATEST, Release

if TYPE_CHECKING:
    from rollplane_machinery.structural.custom import Schema


@dataclass(frozen=True, slots=True)
class Names:
    """What a kind is called; ``list_kind`` and ``singular`` are there even where the definition leaves them out."""

    plural: str
    singular: str
    kind: str
    list_kind: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its numbers: ``.spec.replicas``; no path to a selector is empty."""

    spec_replicas: str
    status_replicas: str
    label_selector: str = ""


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A printer column: what it is called, where its value stands, from which ``priority`` it is a wide one."""

    name: str
    type: str
    json_path: str
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, eq=False)
class Version:
    """One version: how its objects look, and which subresources they have.

    ``document`` is its ``openAPIV3Schema``, to be read as ``release`` does.
    ``warning`` is what is told to whoever uses a deprecated one, empty where nothing is. ``selectable_fields`` are the
    paths that field selectors may name, without the dot in front.
    """

    name: str
    is_served: bool
    is_stored: bool
    document: Mapping[str, Any]
    release: Release
    has_status: bool
    scale: ScalePaths | None
    columns: tuple[ColumnDefinition, ...]
    warning: str
    selectable_fields: tuple[str, ...]

    @cached_property
    def schema(self) -> Schema:
        """What the version makes of objects, read when it is first asked for.

        Its code, and the regular expressions in it, are loaded then: most processes only ask what kinds are called.
        """
        from rollplane_machinery.structural.custom import schema_of

        return schema_of(self.document, self.release)


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind that somebody defined: ``name`` is the definition's own, ``versions`` are in its order."""

    name: str
    group: str
    names: Names
    is_namespaced: bool
    versions: tuple[Version, ...]

    @property
    def stored(self) -> Version:
        """The version that objects are stored in."""
        return next(version for version in self.versions if version.is_stored)

    def version(self, name: str) -> Version | None:
        """Return the served version called ``name``."""
        return next((version for version in self.versions if version.is_served and version.name == name), None)


def parse_definition(crd: Mapping[str, Any], release: Release = LATEST) -> Definition:
    """Return what ``crd``, an object that ``validate_definition`` finds nothing wrong with, defines."""
    spec = crd["spec"]
    group = spec["group"]
    return Definition(
        name=crd["metadata"]["name"],
        group=group,
        names=_names(spec["names"]),
        is_namespaced=spec["scope"] == "Namespaced",
        versions=tuple(_version(version, group, spec, release) for version in spec["versions"]),
    )


def _names(names: Mapping[str, Any]) -> Names:
    kind: str = names["kind"]
    return Names(
        plural=names["plural"],
        singular=names.get("singular") or kind.lower(),
        kind=kind,
        list_kind=names.get("listKind") or f"{kind}List",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
    )


def _version(version: Mapping[str, Any], group: str, spec: Mapping[str, Any], release: Release) -> Version:
    subresources: Mapping[str, Any] = version.get("subresources") or {}
    return Version(
        name=version["name"],
        is_served=version["served"],
        is_stored=version["storage"],
        document=version["schema"]["openAPIV3Schema"],
        release=release,
        has_status=subresources.get("status") is not None,
        scale=_scale(subresources.get("scale")),
        columns=tuple(map(_column, version.get("additionalPrinterColumns") or ())) or DEFAULT_COLUMNS,
        warning=_warning(version, group, spec["names"]["kind"]),
        selectable_fields=_selectable(version.get("selectableFields")) if release.selects_custom_fields else (),
    )


DEFAULT_COLUMNS = (
    ColumnDefinition(
        "Age",
        "date",
        ".metadata.creationTimestamp",
        description="CreationTimestamp is a timestamp representing the server time when this object was created.",
    ),
)
"""The columns of a version that has none of its own."""


def _scale(scale: Mapping[str, Any] | None) -> ScalePaths | None:
    if scale is None:
        return None
    return ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath") or "")


def _column(column: Mapping[str, Any]) -> ColumnDefinition:
    return ColumnDefinition(
        name=column["name"],
        type=column["type"],
        json_path=column["jsonPath"],
        format=column.get("format") or "",
        description=column.get("description") or "",
        priority=column.get("priority") or 0,
    )


def _warning(version: Mapping[str, Any], group: str, kind: str) -> str:
    if not version.get("deprecated"):
        return ""
    return version.get("deprecationWarning") or f"{group}/{version['name']} {kind} is deprecated"


def _selectable(fields: Sequence[Mapping[str, Any]] | None) -> tuple[str, ...]:
    return tuple(field["jsonPath"].removeprefix(".") for field in fields or ())
