"""The paths of a group and version, and what can be done at each."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane_gateway.openapi.names import Json
from rollplane_gateway.openapi.operations import METHODS, Place, operation
from rollplane_gateway.openapi.parameters import in_path
from rollplane_gateway.openapi.schemas import Schemas
from rollplane_machinery.served import Resource, Subresource

_OF_COLLECTIONS = ("list", "create", "deletecollection")
_OF_OBJECTS = ("get", "update", "patch", "delete")
_NAMESPACE = in_path("namespace", "The namespace of the objects.")


def paths_of(resource: Resource, schemas: Schemas) -> Iterator[tuple[str, Json]]:
    """Yield each path of ``resource`` and its operations; the schemas they need are in ``schemas`` afterwards."""
    root = resource.group_version.path
    scope, above = "", []
    if resource.namespaced:
        scope, above = "Namespaced", [_NAMESPACE]
        everywhere = Place(resource.group_version, f"{resource.type.name}ForAllNamespaces", resource.type)
        if "list" in resource.verbs:
            yield f"{root}/{resource.plural}", _item(("list",), everywhere, schemas, [])
        root = f"{root}/namespaces/{{namespace}}"
    place = Place(resource.group_version, f"{scope}{resource.type.name}", resource.type)
    collection = f"{root}/{resource.plural}"
    yield collection, _item(_known(resource.verbs, _OF_COLLECTIONS), place, schemas, above)
    one = [*above, in_path("name", f"The name of the {resource.type.name}.")]
    if verbs := _known(resource.verbs, _OF_OBJECTS):
        yield f"{collection}/{{name}}", _item(verbs, place, schemas, one)
    for each in resource.subresources:
        yield f"{collection}/{{name}}/{each.name}", _item(each.verbs, _below(place, each), schemas, one)


def _below(place: Place, subresource: Subresource) -> Place:
    name = f"{place.subject}{subresource.name.capitalize()}"
    return Place(place.group_version, name, subresource.type, text=subresource.name == "log")


def _known(verbs: tuple[str, ...], here: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(verb for verb in here if verb in verbs)


def _item(verbs: tuple[str, ...], place: Place, schemas: Schemas, parameters: list[Json]) -> Json:
    operations = {METHODS[verb]: operation(verb, place, schemas) for verb in verbs}
    return {**operations, "parameters": parameters} if parameters else operations
