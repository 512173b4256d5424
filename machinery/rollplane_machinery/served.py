"""What is served over REST: each group and version, its resources, their verbs and subresources.

One table, from which requests are routed and discovery is told, so that what is named is served and what is served is
named. Resources of stored kinds come from ``kinds.KINDS``; what is not stored is a row of its own below.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

from google.protobuf.message import Message

from rollplane.authentication import v1 as authentication
from rollplane.authorization import v1 as authorization
from rollplane.autoscaling.v1 import Scale
from rollplane.core.v1 import Binding
from rollplane.events.v1 import Event
from rollplane.policy.v1 import Eviction
from rollplane_machinery import kinds
from rollplane_machinery.definitions import Customs, priority
from rollplane_machinery.kinds import KINDS, CustomKind, Kind
from rollplane_machinery.older.versions import FIRST_RELEASE, OLDER_VERSIONS, OlderVersion
from rollplane_machinery.releases import Release

OBJECT_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
VIEW_VERBS = ("get", "patch", "update")
"""Of ``status`` and ``scale``."""
CREATE = ("create",)


@dataclass(frozen=True, slots=True)
class GroupVersion:
    """A group, empty for the core one, and a version of it."""

    group: str
    version: str

    def __str__(self) -> str:
        """Return it as ``apiVersion`` has it: ``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The path below which its resources stand: ``/api/v1``, ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True)
class ServedType:
    """What bodies and answers are: ``name`` is the ``kind`` in JSON, ``message`` holds its fields.

    ``schema`` is what a definition says of them, None for what is built in.
    """

    group_version: GroupVersion
    name: str
    message: type[Message]
    schema: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Subresource:
    """What stands below an object: ``status``, ``scale``, ``eviction``."""

    name: str
    type: ServedType
    verbs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Resource:
    """A collection, ``plural`` in paths, in one version.

    ``stored`` is the kind kept in the store, which may be of another version, or None where nothing is stored and the
    answer is made from the question. ``singular`` is empty where the release does not tell it.
    """

    type: ServedType
    plural: str
    singular: str
    verbs: tuple[str, ...] = OBJECT_VERBS
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    stored: Kind | None = None

    @property
    def group_version(self) -> GroupVersion:
        return self.type.group_version

    @property
    def is_dressed(self) -> bool:
        """Whether objects are stored in another version than this one, between which ``dresses`` translates."""
        return self.stored is not None and self.stored.api_version != str(self.group_version)

    @cached_property
    def by_subresource(self) -> Mapping[str, Subresource]:
        """The subresources by name."""
        return MappingProxyType({each.name: each for each in self.subresources})

    @cached_property
    def storage_version_hash(self) -> str:
        """What clients compare to learn that objects are stored in another version; empty for what is not stored."""
        if self.stored is None:
            return ""
        version = self.stored.stored_version if isinstance(self.stored, CustomKind) else self.stored.version
        stored = f"{self.stored.group}/{version}/{self.stored.name}"
        return base64.b64encode(hashlib.sha256(stored.encode()).digest()[:8]).decode()


class Served:
    """All that is served, in the order in which discovery tells it."""

    def __init__(self, resources: tuple[Resource, ...]) -> None:
        self.resources = resources
        self._by_path = {(each.group_version, each.plural): each for each in resources}

    def resource(self, group_version: GroupVersion, plural: str) -> Resource | None:
        """Return the resource at ``group_version`` and ``plural``; None where nothing is served."""
        return self._by_path.get((group_version, plural))

    @cached_property
    def kind_names(self) -> Mapping[str, str]:
        """What objects are called, by the resource they are stored as."""
        return MappingProxyType({each.stored.resource: each.type.name for each in self.resources if each.stored})

    @cached_property
    def groups(self) -> Mapping[str, tuple[GroupVersion, ...]]:
        """The versions of each group, the preferred one first."""
        groups: dict[str, dict[GroupVersion, None]] = {}
        for each in self.resources:
            groups.setdefault(each.group_version.group, {})[each.group_version] = None
        return MappingProxyType({group: tuple(versions) for group, versions in groups.items()})

    @cached_property
    def by_group_version(self) -> Mapping[GroupVersion, tuple[Resource, ...]]:
        """The resources of each version, by plural."""
        versions = [version for versions in self.groups.values() for version in versions]
        return MappingProxyType({version: tuple(self._of(version)) for version in versions})

    def _of(self, group_version: GroupVersion) -> Iterator[Resource]:
        ours = (each for each in self.resources if each.group_version == group_version)
        yield from sorted(ours, key=lambda each: each.plural)


AUTHENTICATION = GroupVersion("authentication.k8s.io", "v1")
AUTHORIZATION = GroupVersion("authorization.k8s.io", "v1")
EVENTS, EVENTS_BETA = GroupVersion("events.k8s.io", "v1"), GroupVersion("events.k8s.io", "v1beta1")
POLICY, POLICY_BETA = GroupVersion("policy", "v1"), GroupVersion("policy", "v1beta1")

_SCALE = Subresource("scale", ServedType(GroupVersion("autoscaling", "v1"), "Scale", Scale), VIEW_VERBS)
_BINDING = Subresource("binding", ServedType(GroupVersion("", "v1"), "Binding", Binding), CREATE)
_EVICTION = Subresource("eviction", ServedType(POLICY, "Eviction", Eviction), CREATE)
_TOKEN = Subresource("token", ServedType(AUTHENTICATION, "TokenRequest", authentication.TokenRequest), CREATE)
_LOG = Subresource("log", ServedType(GroupVersion("", "v1"), "Pod", kinds.POD.message), ("get",))
_FINALIZE = Subresource(
    "finalize", ServedType(GroupVersion("", "v1"), "Namespace", kinds.NAMESPACE.message), ("update",)
)

_MORE_SUBRESOURCES: Mapping[Kind, tuple[Subresource, ...]] = MappingProxyType(
    {kinds.POD: (_BINDING, _EVICTION, _LOG), kinds.SERVICE_ACCOUNT: (_TOKEN,), kinds.NAMESPACE: (_FINALIZE,)}
)
_VERBS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {kinds.NAMESPACE: tuple(verb for verb in OBJECT_VERBS if verb != "deletecollection")}
)
"""Of kinds that do not know all; namespaces are deleted by name only."""


def _stored(kind: Kind, group_version: GroupVersion | None = None) -> Resource:
    """Return the resource of ``kind``, in its storage version or in ``group_version``."""
    schema = kind.described.document if isinstance(kind, CustomKind) else None
    type_ = ServedType(group_version or GroupVersion(kind.group, kind.version), kind.name, kind.message, schema)
    return Resource(
        type_,
        kind.plural,
        kind.singular,
        verbs=_VERBS.get(kind, OBJECT_VERBS),
        namespaced=kind.namespaced,
        short_names=kind.short_names,
        categories=_categories(kind),
        subresources=tuple(sorted(_subresources(kind, type_), key=lambda each: each.name)),
        stored=kind,
    )


def _categories(kind: Kind) -> tuple[str, ...]:
    if kind is kinds.CUSTOM_RESOURCE_DEFINITION:
        return ("api-extensions",)
    return ("all",) if kind.in_all else ()


def _subresources(kind: Kind, type_: ServedType) -> Iterator[Subresource]:
    yield from _MORE_SUBRESOURCES.get(kind, ())
    if kind.has_scale:
        yield _SCALE
    if kind.has_status:
        yield Subresource("status", type_, VIEW_VERBS)


def _question(group_version: GroupVersion, message: type[Message], *, namespaced: bool = False) -> Resource:
    """Return the resource of what is only ever asked: a create that is answered and not stored."""
    name = message.DESCRIPTOR.name
    return Resource(
        ServedType(group_version, name, message), f"{name.lower()}s", name.lower(), verbs=CREATE, namespaced=namespaced
    )


def _rows() -> Iterator[Resource]:
    for kind in KINDS:
        yield _stored(kind)
    for older in OLDER_VERSIONS:
        group, _, name = older.api_version.rpartition("/")
        yield _stored(older.kind, GroupVersion(group, name))
    yield _stored(kinds.POD_DISRUPTION_BUDGET, POLICY_BETA)
    for version in (EVENTS, EVENTS_BETA):
        newer = _stored(kinds.EVENT, version)
        yield replace(newer, type=replace(newer.type, message=Event))
    yield _question(AUTHENTICATION, authentication.SelfSubjectReview)
    yield _question(AUTHENTICATION, authentication.TokenReview)
    yield _question(AUTHORIZATION, authorization.LocalSubjectAccessReview, namespaced=True)
    yield _question(AUTHORIZATION, authorization.SelfSubjectAccessReview)
    yield _question(AUTHORIZATION, authorization.SelfSubjectRulesReview)
    yield _question(AUTHORIZATION, authorization.SubjectAccessReview)


_ROWS = tuple(_rows())
"""One resource a row; the first version of a group is the preferred one."""


def _is_served(resource: Resource, release: Release) -> bool:
    """Tell whether the release serves ``resource`` in its version, or at all."""
    if resource.stored is not None and resource.stored.is_stored_only:
        return _serves(release, resource.stored, str(resource.group_version))
    if resource.group_version == POLICY:
        return release.serves_policy_v1
    if resource.group_version in (POLICY_BETA, EVENTS_BETA):
        return release.serves_beta_versions
    return release.tells_who_asks or resource.type.message is not authentication.SelfSubjectReview


_OLDER: Mapping[tuple[Kind, str], OlderVersion] = MappingProxyType(
    {(each.kind, each.api_version): each for each in OLDER_VERSIONS}
)


def _serves(release: Release, kind: Kind, api_version: str) -> bool:
    """Tell whether the release serves a kind that is kept as JSON in that version."""
    older = _OLDER.get((kind, api_version))
    if older is None:
        return release.minor >= FIRST_RELEASE.get(kind, 0)
    return older.since <= release.minor <= older.until


def _as_told_by(resource: Resource, release: Release) -> Resource:
    """Return ``resource`` as the release's discovery has it."""
    if not release.tells_singular_names:
        resource = replace(resource, singular="")
    if not release.serves_eviction_v1 and "eviction" in resource.by_subresource:
        beta = replace(_EVICTION, type=replace(_EVICTION.type, group_version=POLICY_BETA))
        rest = tuple(beta if each is _EVICTION else each for each in resource.subresources)
        resource = replace(resource, subresources=rest)
    return resource


@cache
def served(release: Release) -> Served:
    """Return what is served when ``release`` is behaved as."""
    return Served(tuple(_as_told_by(each, release) for each in _ROWS if _is_served(each, release)))


def with_customs(built_in: Served, customs: Customs) -> Served:
    """Return what is served beside ``built_in`` with ``customs``; the versions of a group in the order of their age."""
    rows = [replace(_stored(kind), categories=kind.categories) for kind in customs.by_type.values()]
    rows.sort(key=lambda row: (row.group_version.group, priority(row.group_version.version)))
    return Served((*built_in.resources, *rows)) if rows else built_in
