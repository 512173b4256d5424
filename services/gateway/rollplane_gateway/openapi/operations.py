"""What can be done at a path: one operation for each verb of a resource or subresource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.meta import v1 as meta
from rollplane.stored.v1 import StoredObject
from rollplane_gateway.openapi.names import Json, descriptor_of, kind_of, shape_of_type
from rollplane_gateway.openapi.parameters import QUERIES
from rollplane_gateway.openapi.schemas import Schemas
from rollplane_machinery.api import PatchType
from rollplane_machinery.served import GroupVersion, ServedType

_FORMS = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_STREAMS = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
_DELETE_OPTIONS = descriptor_of(meta.DeleteOptions)
_STATUS = descriptor_of(meta.Status)

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "get": "get",
        "list": "get",
        "create": "post",
        "update": "put",
        "patch": "patch",
        "delete": "delete",
        "deletecollection": "delete",
    }
)
"""The HTTP method of each verb; ``watch`` is a list that goes on."""

_ACTIONS: Mapping[str, str] = MappingProxyType({"create": "post", "update": "put"})
_WORDS: Mapping[str, str] = MappingProxyType({"get": "read", "update": "replace", "deletecollection": "delete"})
_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "get": "read the {}",
        "list": "list or watch objects of kind {}",
        "create": "create a {}",
        "update": "replace the {}",
        "patch": "change the {}",
        "delete": "delete a {}",
        "deletecollection": "delete all objects of kind {} that the selectors match",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """What a path leads to.

    ``subject`` names it in the ids of operations (``NamespacedDeploymentScale``), ``text`` is True where what is read
    is no object but plain text.
    """

    group_version: GroupVersion
    subject: str
    type: ServedType
    text: bool = False


def operation(verb: str, place: Place, schemas: Schemas) -> Json:
    """Return the operation of ``verb`` at ``place``; the schemas it needs are in ``schemas`` afterwards."""
    told: Json = {
        "description": _SENTENCES[verb].format(place.type.name),
        "operationId": _id(verb, place),
        "tags": [_tag(place.group_version)],
        "parameters": [*QUERIES[verb], *(_TEXT_QUERY if place.text else ())],
        "responses": _responses(verb, place, schemas),
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": kind_of(place.type.group_version, place.type.name),
    }
    body = _body(verb, place, schemas)
    return told if body is None else {**told, "requestBody": body}


def _id(verb: str, place: Place) -> str:
    collection = "Collection" if verb == "deletecollection" else ""
    return f"{_WORDS.get(verb, verb)}{_title(place.group_version)}{collection}{place.subject}"


def _body(verb: str, place: Place, schemas: Schemas) -> Json | None:
    if verb in ("create", "update"):
        return {"required": True, "content": {"*/*": {"schema": schemas.of_type(place.type)}}}
    if verb == "patch":
        patch = {"schema": schemas.of_patch()}
        return {"required": True, "content": {each.value: patch for each in _patch_types(place.type)}}
    if verb in ("delete", "deletecollection"):
        return {"content": {"*/*": {"schema": schemas.of_message(_DELETE_OPTIONS)}}}
    return None


def _patch_types(type_: ServedType) -> list[PatchType]:
    """Return the patches that can be made by the document: strategic ones need what it does not tell of raw JSON."""
    is_raw = shape_of_type(type_) is StoredObject.DESCRIPTOR
    return [each for each in PatchType if not (is_raw and each is PatchType.STRATEGIC_MERGE)]


def _responses(verb: str, place: Place, schemas: Schemas) -> Json:
    if place.text:
        return {"200": {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    if verb == "list":
        return {"200": {"description": "OK", **_content((*_FORMS, *_STREAMS), schemas.of_list(place.type))}}
    of_status = verb in ("delete", "deletecollection")
    answer = _content(_FORMS, schemas.of_message(_STATUS) if of_status else schemas.of_type(place.type))
    told = {"200": {"description": "OK", **answer}}
    return {**told, "201": {"description": "Created", **answer}} if verb in ("create", "patch", "update") else told


def _content(media_types: tuple[str, ...], schema: Json) -> Json:
    return {"content": {each: {"schema": schema} for each in media_types}}


def _title(group_version: GroupVersion) -> str:
    """``apps/v1`` is AppsV1 in the ids of operations."""
    group = group_version.group.removesuffix(".k8s.io") or "core"
    return "".join(part.capitalize() for part in (*group.split("."), group_version.version))


def _tag(group_version: GroupVersion) -> str:
    return f"{group_version.group.removesuffix('.k8s.io') or 'core'}_{group_version.version}".replace(".", "_")


def _parameter(name: str, type_: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": type_}}


_TEXT_QUERY = (
    _parameter("container", "string", "The container whose text is read; needed where there is more than one."),
    _parameter("follow", "boolean", "Go on with what is written from now on."),
    _parameter("previous", "boolean", "The text of the container's life before this one."),
    _parameter("timestamps", "boolean", "Begin each line with its moment."),
)
