"""OpenAPI documents: complete, valid, in Kubernetes' words, and never another under the same address."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from http import HTTPStatus
from typing import Any

import pytest

from rollplane.core.v1 import ContainerPort, ServicePort
from rollplane.meta.v1 import ObjectMeta
from rollplane_gateway.openapi.comments import comments
from rollplane_gateway.openapi.defaults import constant_defaults
from rollplane_gateway.openapi.documents import OpenApi
from rollplane_gateway.openapi.names import descriptor_of, schema_name, type_name
from rollplane_gateway.openapi.scalars import SPECIAL
from rollplane_machinery.api import PatchType
from rollplane_machinery.codec.fields import map_value
from rollplane_machinery.codec.values import SPECIAL_TYPES
from rollplane_machinery.patch.topology import key_default
from rollplane_machinery.releases import LATEST, RECORDED
from rollplane_machinery.served import Resource, served
from tests.gateway.serving import serving

OPEN_API = OpenApi(LATEST)
INDEX = json.loads(OPEN_API.index.body)["paths"]
PREFIX = "#/components/schemas/"
V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


def document(name: str, open_api: OpenApi = OPEN_API) -> Any:
    reply = open_api.version_3(name, "")
    assert reply is not None
    return json.loads(reply.body)


DOCUMENTS = {name: document(name) for name in INDEX}
SCHEMAS: dict[str, Any] = {
    name: schema for each in DOCUMENTS.values() for name, schema in each["components"]["schemas"].items()
}
SPEC = SCHEMAS["io.k8s.api.core.v1.PodSpec"]
CONTAINER = SCHEMAS["io.k8s.api.core.v1.Container"]


def test_there_is_a_document_for_each_version_served() -> None:
    assert list(INDEX) == [each.path.removeprefix("/") for each in served(LATEST).by_group_version]


@pytest.mark.parametrize("name", INDEX)
def test_a_document_needs_no_other(name: str) -> None:
    """Tools read them one by one."""
    told = DOCUMENTS[name]
    assert {each.removeprefix(PREFIX) for each in references(told)} == told["components"]["schemas"].keys()


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("resource", served(LATEST).resources, ids=lambda each: f"{each.group_version} {each.plural}")
def test_everything_served_has_its_schema_and_its_operations(resource: Resource) -> None:
    told = DOCUMENTS[resource.group_version.path.removeprefix("/")]
    kind = {
        "group": resource.group_version.group,
        "kind": resource.type.name,
        "version": resource.group_version.version,
    }
    schema = told["components"]["schemas"][type_name(resource.type)]
    assert kind in schema["x-kubernetes-group-version-kind"]
    assert {"apiVersion", "kind", "metadata"} <= schema["properties"].keys()
    operations = [
        (each["x-kubernetes-action"], each["operationId"])
        for path, item in told["paths"].items()
        for name, each in item.items()
        if name != "parameters" and f"/{resource.plural}" in path.replace("/namespaces/{namespace}", "")
    ]
    done = {action for action, _ in operations}
    verbs = {*resource.verbs, *(verb for each in resource.subresources for verb in each.verbs)} - {"watch"}
    assert done == {{"create": "post", "update": "put"}.get(verb, verb) for verb in verbs}


def test_ids_of_operations_differ() -> None:
    ids = [
        each["operationId"]
        for told in DOCUMENTS.values()
        for item in told["paths"].values()
        for name, each in item.items()
        if name != "parameters"
    ]
    assert len(ids) == len(set(ids))
    assert {
        "patchAppsV1NamespacedDeploymentScale",
        "listCoreV1PodForAllNamespaces",
        "readCoreV1Node",
        "deleteCoreV1CollectionNode",
    } <= set(ids)


def test_a_patch_may_be_validated_by_the_server_and_comes_in_every_format() -> None:
    """kubectl looks for the parameter before it leaves validation to the server."""
    patch = DOCUMENTS["apis/apps/v1"]["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    names = {each["name"] for each in patch["parameters"]}
    assert names == {"dryRun", "fieldManager", "fieldValidation", "force"}
    assert patch["requestBody"]["content"].keys() == {each.value for each in PatchType}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}


def test_every_comment_is_told() -> None:
    """Field by field, from the schemas that the messages of all kinds lead to."""
    texts = comments()
    seen = set()
    for resource in served(LATEST).resources:
        descriptors = [descriptor_of(resource.type.message)]
        while descriptors:
            descriptor = descriptors.pop()
            if descriptor.full_name in seen or descriptor.full_name in SPECIAL:
                continue
            seen.add(descriptor.full_name)
            schema = SCHEMAS.get(schema_name(descriptor))
            for field in descriptor.fields:
                value = (map_value(field) or field).message_type
                descriptors += [value] if value is not None else []
                if schema is not None and field.json_name in schema["properties"]:
                    assert schema["properties"][field.json_name].get("description") == texts.get(field.full_name)
    assert len(seen) > 150


def test_comments_are_in_the_words_of_json() -> None:
    text = SCHEMAS["io.k8s.api.apps.v1.RollingUpdateDeployment"]["description"]
    assert "maxUnavailable becomes 1" in text


def test_scalars_that_are_messages() -> None:
    assert SPECIAL.keys() == SPECIAL_TYPES.keys()
    assert SCHEMAS["io.k8s.apimachinery.pkg.apis.meta.v1.Time"]["format"] == "date-time"
    assert SCHEMAS["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"


PATCH_FACTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "two keys for apply, one for patches": (
        "io.k8s.api.core.v1.Container",
        "ports",
        {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["containerPort", "protocol"],
            "x-kubernetes-patch-merge-key": "containerPort",
            "x-kubernetes-patch-strategy": "merge",
        },
    ),
    "retained keys": (
        "io.k8s.api.core.v1.PodSpec",
        "volumes",
        {"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge,retainKeys"},
    ),
    "an object with retained keys": (
        "io.k8s.api.apps.v1.DeploymentSpec",
        "strategy",
        {"x-kubernetes-patch-strategy": "retainKeys"},
    ),
    "a set": (
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        "finalizers",
        {"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"},
    ),
    "a list that is one value": ("io.k8s.api.core.v1.Container", "command", {"x-kubernetes-list-type": "atomic"}),
    "a map that is one value": ("io.k8s.api.core.v1.PodSpec", "nodeSelector", {"x-kubernetes-map-type": "atomic"}),
    "a member of an inline message": ("io.k8s.api.core.v1.Volume", "hostPath", {}),
    "the default of a key": ("io.k8s.api.core.v1.ContainerPort", "protocol", {"default": "TCP"}),
}


@pytest.mark.parametrize(("schema", "field", "expected"), PATCH_FACTS.values(), ids=PATCH_FACTS)
def test_how_patches_and_apply_treat_a_field(schema: str, field: str, expected: dict[str, Any]) -> None:
    told = SCHEMAS[schema]["properties"][field]
    assert {name: told.get(name) for name in expected} == expected


DEFAULTS: dict[str, tuple[str, str, Any]] = {
    "a number": ("io.k8s.api.apps.v1.DeploymentSpec", "replicas", 1),
    "a percentage": ("io.k8s.api.apps.v1.RollingUpdateDeployment", "maxSurge", "25%"),
    "zero": ("io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", "partition", 0),
    "deep inside": ("io.k8s.api.core.v1.ConfigMapVolumeSource", "defaultMode", 420),
    "one that depends on the image": ("io.k8s.api.core.v1.Container", "imagePullPolicy", None),
    "one that depends on the network": ("io.k8s.api.core.v1.ContainerPort", "hostPort", None),
    "one that templates do not have": ("io.k8s.api.core.v1.PodSpec", "enableServiceLinks", None),
    "one that is the port": ("io.k8s.api.core.v1.ServicePort", "targetPort", None),
    "none": ("io.k8s.api.core.v1.Container", "image", None),
}


@pytest.mark.parametrize(("schema", "field", "expected"), DEFAULTS.values(), ids=DEFAULTS)
def test_defaults_that_depend_on_nothing_are_told(schema: str, field: str, expected: Any) -> None:
    assert SCHEMAS[schema]["properties"][field].get("default") == expected


def test_defaults_of_keys_are_told() -> None:
    """Items are told apart by them, also by tools that read the document."""
    keys = {
        field.full_name: key_default(field) for each in (ContainerPort, ServicePort) for field in each.DESCRIPTOR.fields
    }
    told = {name: default for name, default in keys.items() if default is not None}
    assert told
    assert told.items() <= constant_defaults().items()


def test_what_must_be_there() -> None:
    assert SCHEMAS["io.k8s.api.apps.v1.DeploymentSpec"]["required"] == ["selector", "template"]
    assert SPEC["required"] == ["containers"]
    assert CONTAINER["required"] == ["name"]
    assert "required" not in SCHEMAS[schema_name(descriptor_of(ObjectMeta))]
    assert "required" not in SCHEMAS["io.k8s.api.apps.v1.Deployment"]
    assert SCHEMAS["io.k8s.api.apps.v1.StatefulSetSpec"]["required"] == ["selector", "template"]
    assert SCHEMAS["io.k8s.api.core.v1.TCPSocketAction"]["required"] == ["port"]


def test_an_older_version_has_its_own_schema() -> None:
    beta = document("apis/policy/v1beta1", OpenApi(RECORDED))
    schema = beta["components"]["schemas"]["io.k8s.api.policy.v1beta1.PodDisruptionBudget"]
    kind = {"group": "policy", "kind": "PodDisruptionBudget", "version": "v1beta1"}
    assert schema["x-kubernetes-group-version-kind"] == [kind]
    items = beta["components"]["schemas"]["io.k8s.api.policy.v1beta1.PodDisruptionBudgetList"]["properties"]["items"]
    assert items["items"] == {"$ref": f"{PREFIX}io.k8s.api.policy.v1beta1.PodDisruptionBudget"}


def test_an_address_names_its_content() -> None:
    address = INDEX["apis/apps/v1"]["serverRelativeURL"]
    path, _, digest = address.partition("?hash=")
    assert path == "/openapi/v3/apis/apps/v1"
    kept = OPEN_API.version_3("apis/apps/v1", digest)
    assert kept is not None
    assert "max-age" in kept.headers["Cache-Control"]
    plain = OPEN_API.version_3("apis/apps/v1", "")
    assert plain is not None
    assert "Cache-Control" not in plain.headers
    moved = OPEN_API.version_3("apis/apps/v1", "ABC")
    assert moved is not None
    assert (moved.status, moved.headers["Location"]) == (HTTPStatus.MOVED_PERMANENTLY, address)
    assert OPEN_API.version_3("apis/nosuch/v1", "") is None
    assert OpenApi(RECORDED).index.body != OPEN_API.index.body


def test_documents_do_not_depend_on_the_process() -> None:
    assert OpenApi(LATEST).index.body == OPEN_API.index.body


async def test_over_http() -> None:
    async with serving() as gateway:
        index = await gateway.get("/openapi/v3")
        assert (index.status, index.content_type) == (200, "application/json")
        address = index.json["paths"]["api/v1"]["serverRelativeURL"]
        got = await gateway.get(address)
        assert got.json["openapi"] == "3.0.0"
        assert "immutable" in got.headers["cache-control"]
        again = await gateway.get(address, If_None_Match=got.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        followed = await gateway.get("/openapi/v3/api/v1?hash=OLD")
        assert followed.json == got.json
        assert (await gateway.get("/openapi/v3/apis/nosuch/v1")).json["reason"] == "NotFound"
        assert (await gateway.get("/openapi/v3/")).json == index.json


async def test_version_2_over_http() -> None:
    async with serving() as gateway:
        as_json = await gateway.get("/openapi/v2", Accept="application/json")
        assert (as_json.content_type, as_json.json["swagger"]) == ("application/json", "2.0")
        assert as_json.json["definitions"].keys() == SCHEMAS.keys()
        as_protobuf = await gateway.get("/openapi/v2", Accept=V2_PROTOBUF)
        assert as_protobuf.content_type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        assert as_protobuf.headers["vary"] == "Accept"


def test_version_2_as_protobuf() -> None:
    """Every message in it is a list of fields with a length, but for a flag or two; numbers are those of gnostic's."""
    told = fields(OPEN_API.version_2(V2_PROTOBUF).body)
    assert told[1] == [b"2.0"]
    definitions = dict(named(each) for each in fields(told[9][0])[1])
    assert definitions.keys() == SCHEMAS.keys()
    spec = fields(definitions["io.k8s.api.apps.v1.DeploymentSpec"])
    assert spec[19] == [b"selector", b"template"]
    properties = dict(named(each) for each in fields(spec[25][0])[1])
    replicas = fields(properties["replicas"])
    assert (replicas[2], fields(replicas[22][0])[1]) == ([b"int32"], [b"integer"])
    assert fields(properties["template"])[1] == [b"#/definitions/io.k8s.api.core.v1.PodTemplateSpec"]
    paths = dict(named(each) for each in fields(told[8][0])[2])
    patch = fields(fields(paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"])[8][0])
    assert patch[5] == [b"patchAppsV1NamespacedDeployment"]
    assert [named(each)[0] for each in patch[13]] == ["x-kubernetes-action", "x-kubernetes-group-version-kind"]


def fields(message: bytes) -> dict[int, list[bytes]]:
    """The fields of a message by number; of a varint, its bytes."""
    found: dict[int, list[bytes]] = {}
    position = 0
    while position < len(message):
        tag, position = varint(message, position)
        start = position
        number, position = varint(message, position)
        if tag & 7 == 2:
            start, position = position, position + number
        found.setdefault(tag >> 3, []).append(message[start:position])
    return found


def varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def named(message: bytes) -> tuple[str, bytes]:
    told = fields(message)
    return told[1][0].decode(), told[2][0]


def test_a_start_does_not_wait_for_them() -> None:
    """Neither made nor loaded before somebody asks."""
    look = "import sys, rollplane_gateway.composing; print([name for name in sys.modules if '.openapi.' in name])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "['rollplane_gateway.openapi.pages']"


async def test_many_ask_at_once() -> None:
    async with serving() as gateway:
        paths = ("/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1") * 5
        answers = await asyncio.gather(*(gateway.get(path) for path in paths))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 3
