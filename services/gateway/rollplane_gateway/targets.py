"""Paths of resources: ``/api/v1/namespaces/N/pods/P/status`` to what it names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Key, Kind, may_be_custom
from rollplane_machinery.served import GroupVersion, Resource, Served, Subresource

_NAMESPACES = "namespaces"
_OF_A_NAMESPACE = frozenset({"status", "finalize"})
"""What stands below a namespace's name and is no resource inside it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a path says, served or not; ``name`` is empty for a collection, ``rest`` is what stands below a name.

    ``is_watch`` tells the older form ``/api/v1/watch/…`` of a watch.
    """

    group_version: GroupVersion
    namespace: str
    plural: str
    name: str = ""
    rest: tuple[str, ...] = ()
    is_watch: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about: a collection of ``resource``, one of its objects, or a subresource of that."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: Subresource | None = None
    is_watch: bool = False

    @property
    def kind(self) -> Kind:
        """The kind that is stored; raises TypeError where nothing is."""
        if self.resource.stored is None:
            raise TypeError(f"{self.resource.plural} are not stored")
        return self.resource.stored

    @property
    def key(self) -> Key:
        """The stored object that is named."""
        return Key(self.kind, self.namespace, self.name)

    @property
    def api_version(self) -> str:
        """The version the client speaks."""
        return str(self.resource.group_version)

    @property
    def subresource_name(self) -> str:
        """The subresource, empty for the object itself."""
        return "" if self.subresource is None else self.subresource.name


def place_of(path: str) -> Place | None:
    """Return what ``path`` names below ``/api`` or ``/apis``; None for any other path, or one too short to name.

    Raises BadRequestError for a path that is no text.
    """
    segments = _segments(path)
    match segments:
        case ["api", version, *rest] if rest:
            return _placed(GroupVersion("", version), rest)
        case ["apis", group, version, *rest] if rest:
            return _placed(GroupVersion(group, version), rest)
        case _:
            return None


def names_custom(path: str) -> bool:
    """Return whether ``path`` names something that a definition may make."""
    match path.strip("/").split("/"):
        case ["apis", group, _, _, *_]:
            return may_be_custom(group)
        case _:
            return False


def _segments(path: str) -> list[str]:
    try:
        return [unquote(segment, errors="strict") for segment in path.strip("/").split("/")]
    except UnicodeDecodeError as exc:
        raise BadRequestError(f"the path is not UTF-8: {path!r}") from exc


def _placed(group_version: GroupVersion, segments: list[str]) -> Place:
    is_watch = segments[0] == "watch" and len(segments) > 1
    if is_watch:
        segments = segments[1:]
    match segments:
        case ["namespaces"]:
            return Place(group_version, "", _NAMESPACES, is_watch=is_watch)
        case ["namespaces", name]:
            return Place(group_version, "", _NAMESPACES, name, is_watch=is_watch)
        case ["namespaces", name, part] if part in _OF_A_NAMESPACE:
            return Place(group_version, "", _NAMESPACES, name, (part,), is_watch)
        case ["namespaces", namespace, plural, *named]:
            return Place(group_version, namespace, plural, *_named(named), is_watch)
        case [plural, *named]:
            return Place(group_version, "", plural, *_named(named), is_watch)
    raise AssertionError(segments)


def _named(segments: list[str]) -> tuple[str, tuple[str, ...]]:
    return (segments[0], tuple(segments[1:])) if segments else ("", ())


def target_of(place: Place, served: Served) -> Target | None:
    """Return what ``place`` names, None when nothing is served there."""
    resource = served.resource(place.group_version, place.plural)
    if resource is None or not _fits(place, resource):
        return None
    if not place.rest:
        return Target(resource, place.namespace, place.name, None, place.is_watch)
    subresource = resource.by_subresource.get("/".join(place.rest))
    return None if subresource is None else Target(resource, place.namespace, place.name, subresource)


def _fits(place: Place, resource: Resource) -> bool:
    """Whether the path has a namespace exactly where the resource wants one: none is the list over all."""
    if not resource.namespaced:
        return not place.namespace
    return bool(place.namespace) or not place.name
