"""Custom kinds over REST: from the definition's answer on, in all that a cluster offers for them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rollplane_machinery.api import Create
from rollplane_machinery.kinds import Encoded
from tests.customs import DEFINITIONS, GROUP, PATH, custom, definition, stored_definition, version
from tests.gateway.serving import Served, serving

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def define(gateway: Served, *versions: Any, **names: Any) -> Any:
    made = await gateway.ask("POST", DEFINITIONS, definition(*versions, **names))
    assert made.status == 201, made.body
    return made.json


async def patch(gateway: Served, path: str, body: object, how: str = "merge-patch+json") -> Any:
    return await gateway.ask("PATCH", path, json.dumps(body).encode(), headers={"Content-Type": f"application/{how}"})


async def test_a_life() -> None:
    async with serving() as gateway:
        assert (await gateway.get(PATH)).status == 404
        made = await define(gateway)
        assert made["status"]["acceptedNames"]["plural"] == "crontabs"
        created = await gateway.ask("POST", PATH, custom())
        assert (created.status, created.warnings) == (201, ())
        assert created.json["spec"] == {"cron": "* * * * 5", "replicas": 1}
        assert (created.json["apiVersion"], created.json["kind"]) == (f"{GROUP}/v1", "CronTab")
        listed = await gateway.get(PATH)
        assert (listed.json["kind"], len(listed.json["items"])) == ("CronTabList", 1)
        assert (await gateway.get(f"/apis/{GROUP}/v1/crontabs")).json["items"] == listed.json["items"]
        replaced = await gateway.ask("PUT", f"{PATH}/one", {**created.json, "spec": {"cron": "1 * * * *"}})
        assert (replaced.status, replaced.json["metadata"]["generation"]) == (200, 2)
        assert (await patch(gateway, f"{PATH}/one", {"spec": {"replicas": 4}})).json["spec"]["replicas"] == 4
        refused = await patch(gateway, f"{PATH}/one", {"spec": {"replicas": 4}}, "strategic-merge-patch+json")
        assert refused.status == 415
        gone = await gateway.ask("DELETE", f"{PATH}/one")
        assert (gone.status, gone.json["status"]) == (200, "Success")


async def test_defined_over_another_door() -> None:
    async with serving() as gateway:
        await gateway.api.write(Create(Encoded.of(stored_definition())))
        assert (await gateway.get(PATH)).status == 200


async def test_unknown_fields_by_the_words_of_the_request() -> None:
    async with serving() as gateway:
        await define(gateway)
        odd = custom(spec={"cron": "* * * * 5", "colour": "red"})
        strict = await gateway.ask("POST", f"{PATH}?fieldValidation=Strict", odd)
        assert strict.status == 400
        assert strict.json["message"].endswith('strict decoding error: unknown field "spec.colour"')
        warned = await gateway.ask("POST", PATH, odd)
        assert warned.status == 201
        assert 'unknown field \\"spec.colour\\"' in warned.warnings[0]
        ignored = await gateway.ask("PUT", f"{PATH}/one?fieldValidation=Ignore", odd)
        assert (ignored.status, ignored.warnings) == (200, ())


APPLY = "apply-patch+yaml"


@pytest.mark.parametrize("options", ["", "&fieldValidation=Ignore", "&fieldValidation=Strict", "&dryRun=All"])
async def test_nothing_is_applied_that_no_schema_declares(options: str) -> None:
    async with serving() as gateway:
        await define(gateway)
        path = f"{PATH}/one?fieldManager=me{options}"
        odd = custom(spec={"cron": "* * * * 5", "colour": "red"})
        who = f"failed to create typed patch object (default/one; {GROUP}/v1, Kind=CronTab): "
        colour, size = (f".spec.{name}: field not declared in schema" for name in ("colour", "size"))
        refused = await patch(gateway, path, odd, APPLY)
        assert (refused.status, refused.json["message"]) == (400, who + colour)
        odd["spec"]["size"] = 1
        refused = await patch(gateway, path, odd, APPLY)
        assert refused.json["message"] == f"{who}errors:\n  {colour}\n  {size}"
        assert (await gateway.get(f"{PATH}/one")).status == 404
        assert (await patch(gateway, path, custom(), APPLY)).status == 201
        refused = await patch(gateway, path.replace("?", "/status?"), {**custom(), "status": {"odd": 1}}, APPLY)
        assert refused.json["message"] == f"{who}.status.odd: field not declared in schema"


def misspelt() -> Any:
    """A definition with a member of its spec and one of a schema that no definition has."""
    schema = {"type": "object", "properties": {"spec": {"type": "object", "propertees": {"a": {"type": "string"}}}}}
    odd = definition(version(schema={"openAPIV3Schema": schema}))
    odd["spec"]["scoop"] = "Cluster"
    return odd


ODD = ("spec.scoop", "spec.versions[0].schema.openAPIV3Schema.properties.spec.propertees")


async def test_unknown_fields_of_definitions_by_the_words_of_the_request() -> None:
    name = f"{DEFINITIONS}/crontabs.{GROUP}"
    async with serving() as gateway:
        strict = await gateway.ask("POST", f"{DEFINITIONS}?fieldValidation=Strict", misspelt())
        assert (strict.status, strict.json["message"].partition(": ")[2]) == (
            400,
            f'strict decoding error: unknown field "{ODD[0]}", unknown field "{ODD[1]}"',
        )
        warned = await gateway.ask("POST", DEFINITIONS, misspelt())
        assert (warned.status, list(warned.warnings)) == (201, [f'299 - "unknown field \\"{each}\\""' for each in ODD])
        assert (b"scoop" in warned.body, b"propertees" in warned.body) == (False, False)
        ignored = await patch(gateway, f"{name}?fieldValidation=Ignore", {"spec": {"scoop": "x"}})
        assert (ignored.status, ignored.warnings, b"scoop" in ignored.body) == (200, (), False)
        strict = await patch(gateway, f"{name}/status?fieldValidation=Strict", {"status": {"odd": 1}})
        assert (strict.status, 'unknown field "status.odd"' in strict.json["message"]) == (400, True)


async def test_no_definition_is_applied_with_fields_that_none_has() -> None:
    async with serving() as gateway:
        path = f"{DEFINITIONS}/crontabs.{GROUP}?fieldManager=me"
        refused = await patch(gateway, path, misspelt(), APPLY)
        assert refused.status == 400
        for each in ODD:
            assert f".{each}: field not declared in schema" in refused.json["message"]
        assert (await patch(gateway, path, definition(), APPLY)).status == 201


async def test_names_that_no_header_can_say() -> None:
    async with serving() as gateway:
        await define(gateway)
        made = await gateway.ask("POST", PATH, custom(spec={"cron": "* * * * 5", "\x08": 1, "\ud7ff\u0301": 2}))
        assert (made.status, made.json["spec"]) == (201, {"cron": "* * * * 5", "replicas": 1})
        assert not any("\x08" in warning for warning in made.warnings)


async def test_what_breaks_the_schema() -> None:
    async with serving() as gateway:
        await define(gateway)
        refused = await gateway.ask("POST", PATH, custom(spec={"cron": "now", "replicas": -1}))
        assert (refused.status, refused.json["reason"]) == (422, "Invalid")
        assert {each["field"] for each in refused.json["details"]["causes"]} == {"spec.cron", "spec.replicas"}
        assert refused.json["details"]["kind"] == "CronTab"
        broken = await gateway.ask("POST", DEFINITIONS, definition(version(storage=False)))
        assert broken.status == 422


async def test_status_and_scale() -> None:
    async with serving() as gateway:
        await define(gateway)
        await gateway.ask("POST", PATH, custom())
        status = {"replicas": 3, "selector": "app=web"}
        told = await patch(gateway, f"{PATH}/one/status", {"status": status, "spec": {"replicas": 9}})
        assert (told.json["status"], told.json["spec"]["replicas"]) == (status, 1)
        scale = await gateway.get(f"{PATH}/one/scale")
        assert (scale.json["kind"], scale.json["apiVersion"]) == ("Scale", "autoscaling/v1")
        assert (scale.json["spec"], scale.json["status"]) == ({"replicas": 1}, status)
        scaled = await gateway.ask("PUT", f"{PATH}/one/scale", {**scale.json, "spec": {"replicas": 5}})
        assert (scaled.status, scaled.json["spec"]) == (200, {"replicas": 5})
        assert (await patch(gateway, f"{PATH}/one/scale", {"spec": {"replicas": 6}})).json["spec"] == {"replicas": 6}
        one = (await gateway.get(f"{PATH}/one")).json
        assert (one["spec"]["replicas"], one["status"], one["metadata"]["generation"]) == (6, status, 3)


async def test_versions() -> None:
    async with serving() as gateway:
        await define(
            gateway,
            version("v1"),
            version("v1beta1", storage=False, deprecated=True),
            version("v0", storage=False, served=False),
        )
        beta = PATH.replace("/v1/", "/v1beta1/")
        made = await gateway.ask("POST", beta, custom(api_version=f"{GROUP}/v1beta1"))
        assert (made.status, made.json["apiVersion"]) == (201, f"{GROUP}/v1beta1")
        assert made.warnings == (f'299 - "{GROUP}/v1beta1 CronTab is deprecated"',)
        assert (await gateway.get(f"{PATH}/one")).json["apiVersion"] == f"{GROUP}/v1"
        read = await gateway.get(f"{beta}/one")
        assert (read.json["apiVersion"], len(read.warnings)) == (f"{GROUP}/v1beta1", 1)
        assert (await patch(gateway, f"{beta}/one", {"spec": {"replicas": 2}})).json["apiVersion"] == f"{GROUP}/v1beta1"
        assert (await gateway.get(PATH.replace("/v1/", "/v0/"))).status == 404
        groups = (await gateway.get(f"/apis/{GROUP}")).json
        assert [each["version"] for each in groups["versions"]] == ["v1", "v1beta1"]
        async with asyncio.timeout(5), gateway.session.get(f"{gateway.url}{beta}?watch=1") as stream:
            line = await stream.content.readline()
            assert stream.headers["Warning"] == f'299 - "{GROUP}/v1beta1 CronTab is deprecated"'
        assert json.loads(line)["object"]["apiVersion"] == f"{GROUP}/v1beta1"


async def test_tables() -> None:
    async with serving() as gateway:
        await define(gateway)
        await gateway.ask("POST", PATH, custom())
        table = (await gateway.get(PATH, Accept=TABLE)).json
        columns = [(each["name"], each["type"], each["priority"]) for each in table["columnDefinitions"]]
        assert columns == [("Name", "string", 0), ("Cron", "string", 0), ("Replicas", "integer", 1), ("Age", "date", 0)]
        assert table["rows"][0]["cells"][:3] == ["one", "* * * * 5", 1]
        await define(gateway, version(additionalPrinterColumns=[]), plural="tables", kind="Table")
        plain = (await gateway.get(f"/apis/{GROUP}/v1/tables", Accept=TABLE)).json
        assert [each["name"] for each in plain["columnDefinitions"]] == ["Name", "Age"]
        crds = (await gateway.get(DEFINITIONS, Accept=TABLE)).json
        assert [each["name"] for each in crds["columnDefinitions"]] == ["Name", "Created At"]


async def test_discovery() -> None:
    async with serving() as gateway:
        assert GROUP not in (await gateway.get("/apis")).body.decode()
        await define(gateway)
        assert GROUP in (await gateway.get("/apis")).body.decode()
        plain = (await gateway.get(f"/apis/{GROUP}/v1")).json["resources"]
        assert [each["name"] for each in plain] == ["crontabs", "crontabs/scale", "crontabs/status"]
        assert (plain[0]["shortNames"], plain[0]["categories"], plain[0]["singularName"]) == (
            ["cr"],
            ["all"],
            "crontab",
        )
        told = (await gateway.get("/apis", Accept=V2)).json["items"]
        (group,) = [each for each in told if each["metadata"]["name"] == GROUP]
        assert group["versions"][0]["resources"][0]["responseKind"] == {
            "group": GROUP,
            "version": "v1",
            "kind": "CronTab",
        }
        assert f"/apis/{GROUP}/v1" in (await gateway.get("/")).json["paths"]


async def test_documents() -> None:
    async with serving() as gateway:
        before = (await gateway.get("/openapi/v3")).json["paths"]
        assert f"apis/{GROUP}/v1" not in before
        await define(gateway)
        index = (await gateway.get("/openapi/v3")).json["paths"]
        assert {name: index.get(name) for name in before} == before
        document = (await gateway.get(index[f"apis/{GROUP}/v1"]["serverRelativeURL"])).json
        schema = document["components"]["schemas"]["com.example.v1.CronTab"]
        assert schema["x-kubernetes-group-version-kind"] == [{"group": GROUP, "kind": "CronTab", "version": "v1"}]
        assert schema["properties"]["spec"]["properties"]["replicas"]["minimum"] == 0
        assert "$ref" in json.dumps(schema["properties"]["metadata"])
        swagger = (await gateway.get("/openapi/v2")).json
        assert swagger["definitions"]["com.example.v1.CronTab"]["properties"]["spec"]["type"] == "object"
        protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
        assert b"com.example.v1.CronTab" in (await gateway.get("/openapi/v2", Accept=protobuf)).body


async def test_documents_of_what_version_2_cannot_say() -> None:
    keeps = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"a": {"type": "string"}}}
    members = {
        "port": {"x-kubernetes-int-or-string": True},
        "free": keeps,
        "none": {"type": "string", "nullable": True},
        "pod": {**keeps, "x-kubernetes-embedded-resource": True},
    }
    spec = {"type": "object", "required": ["none", "port"], "properties": members}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    async with serving() as gateway:
        await define(gateway, version(schema=schema, subresources={}, additionalPrinterColumns=[]))
        index = (await gateway.get("/openapi/v3")).json["paths"]
        third = (await gateway.get(index[f"apis/{GROUP}/v1"]["serverRelativeURL"])).json["components"]["schemas"]
        second = (await gateway.get("/openapi/v2")).json["definitions"]
        new, old = (each["com.example.v1.CronTab"]["properties"]["spec"] for each in (third, second))
        assert new["properties"]["port"]["anyOf"] == [{"type": "integer"}, {"type": "string"}]
        assert set(new["properties"]["pod"]["properties"]) == {"a", "apiVersion", "kind", "metadata"}
        assert old == {
            "type": "object",
            "required": ["port"],
            "properties": {
                "port": {"x-kubernetes-int-or-string": True},
                "free": {"x-kubernetes-preserve-unknown-fields": True},
                "none": {},
                "pod": {
                    "x-kubernetes-preserve-unknown-fields": True,
                    "x-kubernetes-embedded-resource": True,
                    "required": ["kind", "apiVersion"],
                },
            },
        }


async def test_a_definition_that_goes_ends_watches() -> None:
    async with serving() as gateway:
        await define(gateway)
        await gateway.ask("POST", PATH, custom())
        async with asyncio.timeout(20), gateway.session.get(f"{gateway.url}{PATH}?watch=1") as stream:
            assert json.loads(await stream.content.readline())["type"] == "ADDED"
            name = f"{DEFINITIONS}/crontabs.{GROUP}"
            marked = await gateway.ask("DELETE", name)
            assert marked.json["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
            refused = await gateway.ask("POST", PATH, custom("two"))
            assert (refused.status, refused.json["reason"]) == (405, "MethodNotAllowed")
            await gateway.ask("DELETE", f"{PATH}/one")
            line = await stream.content.readline()
            assert json.loads(line)["type"] == "DELETED", line
            await patch(gateway, name, {"metadata": {"finalizers": None}})
            rest = await stream.content.read()
        assert b"ADDED" not in rest
        assert (await gateway.get(PATH)).status == 404
        assert (await gateway.get(f"{PATH}?watch=1")).status == 404
        assert GROUP not in (await gateway.get("/apis")).body.decode()


async def test_fields_that_can_be_selected_by() -> None:
    async with serving() as gateway:
        await define(gateway, version(selectableFields=[{"jsonPath": ".spec.replicas"}, {"jsonPath": ".spec.cron"}]))
        for name, replicas in (("one", 1), ("two", 2)):
            await gateway.ask("POST", PATH, custom(name, spec={"cron": "* * * * 5", "replicas": replicas}))

        async def selected(selector: str) -> list[str]:
            listed = (await gateway.get(f"{PATH}?fieldSelector={selector}")).json
            return [each["metadata"]["name"] for each in listed["items"]]

        assert await selected("spec.replicas%3D2") == ["two"]
        assert await selected("spec.replicas!%3D2,metadata.namespace%3Ddefault") == ["one"]
        assert await selected("spec.cron%3D") == []
        refused = await gateway.get(f"{PATH}?fieldSelector=spec.tags%3Dx")
        assert (refused.status, "field label not supported" in refused.json["message"]) == (400, True)
        two = f"{PATH}?watch=1&fieldSelector=spec.replicas%3D2"
        async with asyncio.timeout(20), gateway.session.get(gateway.url + two) as stream:
            assert json.loads(await stream.content.readline())["object"]["metadata"]["name"] == "two"
            await patch(gateway, f"{PATH}/one", {"spec": {"replicas": 2}})
            came = json.loads(await stream.content.readline())
            await patch(gateway, f"{PATH}/two", {"spec": {"replicas": 3}})
            went = json.loads(await stream.content.readline())
        assert [(each["type"], each["object"]["metadata"]["name"]) for each in (came, went)] == [
            ("ADDED", "one"),
            ("DELETED", "two"),
        ]
