"""Which custom kinds there are: what the CustomResourceDefinitions make of the registry of kinds.

Pure values, read from the definitions as they are stored, so that server and clients know the same kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import to_json
from rollplane_machinery.conditions import TRUE
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import (
    BY_API_VERSION_KIND,
    CUSTOM_RESOURCE_DEFINITION,
    ApiObject,
    CustomKind,
    Kind,
    kind_of,
    words_of,
)
from rollplane_machinery.kinds import by_word as built_in_by_word
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.structural.definition import Definition, Names, Version, parse_definition

CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
"""Held by a definition that is being deleted until its objects are gone."""
ESTABLISHED, NAMES_ACCEPTED, TERMINATING = "Established", "NamesAccepted", "Terminating"


@dataclass(frozen=True, eq=False)
class Custom:
    """The kind that a definition makes, in each of its versions, the preferred one first.

    ``names`` are those that were accepted, or, until all are, those it wishes for; ``accepted`` as its status has them,
    by their names there. Of one that ``is_terminating`` no objects are created any more.
    """

    resource: str
    names: Names
    accepted: Mapping[str, Any]
    versions: Mapping[str, CustomKind]
    stored: CustomKind
    is_established: bool
    is_terminating: bool

    @cached_property
    def served(self) -> tuple[CustomKind, ...]:
        """The kind in the versions that are served."""
        return tuple(kind for kind in self.versions.values() if self.is_established and kind.described.is_served)


def read_custom(stored: StoredObject, release: Release = LATEST) -> Custom:
    """Return what a stored definition, which was validated, makes as ``release`` reads it."""
    document = to_json(stored)
    status = document.get("status") or {}
    definition = parse_definition(document, release)
    is_established = _is_true(status, ESTABLISHED)
    names = _accepted(definition.names, status.get("acceptedNames") or {}) if is_established else definition.names
    versions = sorted(definition.versions, key=lambda version: priority(version.name))
    kinds = {version.name: _kind(definition, names, version) for version in versions}
    return Custom(
        f"{names.plural}.{definition.group}",
        names,
        status.get("acceptedNames") or {},
        MappingProxyType(kinds),
        kinds[definition.stored.name],
        is_established,
        is_being_deleted(stored.metadata),
    )


def promised(definition: ApiObject) -> tuple[CustomKind, ...]:
    """Return the kinds that a definition makes once it is created, if it gets its names; none of a broken one."""
    if not isinstance(definition, StoredObject):
        return ()
    try:
        custom = read_custom(definition)
    except (KeyError, TypeError, AttributeError, StopIteration):
        return ()  # the server will tell what is wrong with it
    return tuple(kind for kind in custom.versions.values() if kind.described.is_served)


def defined(objects: Iterable[ApiObject]) -> dict[tuple[str, str], Kind]:
    """Return the kinds that definitions among ``objects`` make once they are created, by apiVersion and kind."""
    definitions = (each for each in objects if kind_of(each) is CUSTOM_RESOURCE_DEFINITION)
    return {(kind.api_version, kind.name): kind for each in definitions for kind in promised(each)}


def _accepted(names: Names, accepted: Mapping[str, Any]) -> Names:
    """Return the names that a definition has; those that it wishes may be another's."""
    return replace(
        names,
        plural=accepted.get("plural") or names.plural,
        singular=accepted.get("singular") or names.singular,
        kind=accepted.get("kind") or names.kind,
        list_kind=accepted.get("listKind") or names.list_kind,
        short_names=tuple(accepted.get("shortNames") or ()),
        categories=tuple(accepted.get("categories") or ()),
    )


def _is_true(status: Mapping[str, Any], condition: str) -> bool:
    conditions = status.get("conditions") or ()
    return any(each.get("type") == condition and each.get("status") == TRUE for each in conditions)


def _kind(definition: Definition, names: Names, version: Version) -> CustomKind:
    return CustomKind(
        definition.group,
        version.name,
        names.kind,
        names.plural,
        short_names=names.short_names,
        namespaced=definition.is_namespaced,
        has_status=version.has_status,
        has_scale=version.scale is not None,
        in_all="all" in names.categories,
        singular_name=names.singular,
        categories=names.categories,
        stored_version=definition.stored.name,
        definition=version,
    )


_LEVELS = ("alpha", "beta", "")
_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")


def priority(version: str) -> tuple[int, int, int, int, str]:
    """Return what sorts versions as discovery does: v2, v1, v1beta2, v1beta1, v1alpha1, then all others by name.

    Source: kubernetes/apimachinery pkg/version/helpers.go (CompareKubeAwareVersionStrings).
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        return 1, 0, 0, 0, version
    major, level, minor = found.groups()
    return 0, -_LEVELS.index(level or ""), -int(major), -int(minor or 0), version


class Customs:
    """Custom kinds by resource, and by what they are called; never changes."""

    def __init__(self, customs: Iterable[Custom] = ()) -> None:
        self.by_resource: Mapping[str, Custom] = MappingProxyType({each.resource: each for each in customs})

    @property
    def kinds(self) -> Iterator[CustomKind]:
        """The kinds that are served, each in its preferred version."""
        return (each.served[0] for each in self.by_resource.values() if each.served)

    @cached_property
    def by_type(self) -> Mapping[tuple[str, str], CustomKind]:
        """The kinds by apiVersion and kind, in every version that is served."""
        served = (kind for each in self.by_resource.values() for kind in each.served)
        return MappingProxyType({(kind.api_version, kind.name): kind for kind in served})

    @cached_property
    def _by_word(self) -> Mapping[str, CustomKind]:
        served = [kind for each in self.by_resource.values() for kind in each.served]
        return MappingProxyType({word: kind for kind in reversed(served) for word in words_of(kind)})

    def by_word(self, word: str) -> Kind:
        """Return the kind a person means by ``word``, built in or custom; raises NotFoundError."""
        try:
            return built_in_by_word(word)
        except NotFoundError:
            if (found := self._by_word.get(word.lower())) is None:
                raise
            return found

    def of_type(self, api_version: str, name: str) -> Kind | None:
        """Return the kind that an object says it is of, built in or custom."""
        return BY_API_VERSION_KIND.get((api_version, name)) or self.by_type.get((api_version, name))


NO_CUSTOMS = Customs()


def read_customs(stored: Iterable[StoredObject]) -> Customs:
    """Return what all of the stored definitions make."""
    return Customs(map(read_custom, stored))
