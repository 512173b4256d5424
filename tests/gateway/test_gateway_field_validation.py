"""Fields nobody knows, and those given twice: refused all at once, told, or passed over, as the client asks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.serving import DEPLOYMENTS, Got, Served, deployment, serving

STRATEGIC = "application/strategic-merge-patch+json"
JSON = {"Content-Type": "application/json"}
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
WARNINGS = [
    'unknown field "spec.template.spec.containers[0].imag"',
    'unknown field "spec.replics"',
    'duplicate field "spec.replicas"',
]


def sloppy() -> bytes:
    """A Deployment with two unknown fields and one given twice."""
    made: dict[str, Any] = deployment()
    made["spec"]["replics"] = 1
    made["spec"]["template"]["spec"]["containers"][0]["imag"] = "x"
    return json.dumps(made).replace('"replicas": 3', '"replicas": 2, "replicas": 3').encode()


def told(got: Got) -> list[str]:
    return [warning.removeprefix('299 - "').removesuffix('"').replace('\\"', '"') for warning in got.warnings]


async def post(gateway: Served, body: bytes, validation: str) -> Got:
    query = f"?fieldValidation={validation}" if validation else ""
    return await gateway.ask("POST", DEPLOYMENTS + query, body, headers=JSON)


async def patched(gateway: Served, body: bytes, kind: str, validation: str = "", name: str = "web") -> Got:
    query = f"?fieldValidation={validation}" if validation else ""
    return await gateway.ask("PATCH", f"{DEPLOYMENTS}/{name}{query}", body, headers={"Content-Type": kind})


@pytest.mark.parametrize("validation", ["Warn", ""], ids=["Warn", "the default"])
async def test_warn_leaves_them_out_and_says_so(validation: str) -> None:
    async with serving() as gateway:
        got = await post(gateway, sloppy(), validation)
        assert (got.status, told(got)) == (201, WARNINGS)
        assert got.json["spec"]["replicas"] == 3  # the last one counts


async def test_ignore_only_leaves_them_out() -> None:
    async with serving() as gateway:
        got = await post(gateway, sloppy(), "Ignore")
        assert (got.status, got.warnings) == (201, ())


async def test_strict_refuses_all_of_them_in_one_sentence() -> None:
    async with serving() as gateway:
        got = await post(gateway, sloppy(), "Strict")
        assert (got.status, got.json["reason"]) == (400, "BadRequest")
        assert got.json["message"] == (
            'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
            + ", ".join(WARNINGS)
        )
        assert (await gateway.get(f"{DEPLOYMENTS}/web")).status == 404


async def test_an_update_is_read_likewise() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        assert told(await gateway.ask("PUT", f"{DEPLOYMENTS}/web", sloppy(), headers=JSON)) == WARNINGS
        assert (
            await gateway.ask("PUT", f"{DEPLOYMENTS}/web?fieldValidation=Strict", sloppy(), headers=JSON)
        ).status == 400


async def test_yaml_is_read_likewise() -> None:
    async with serving() as gateway:
        text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {}\ndata: {k: v}\nmore: 1\n"
        sent = {"Content-Type": "application/yaml"}
        got = await gateway.ask("POST", "/api/v1/namespaces/default/configmaps", text, headers=sent)
        assert (got.json["data"], told(got)) == ({"k": "v"}, ['unknown field "more"', 'duplicate field "data"'])


PATCHES = {
    "strategic": (STRATEGIC, b'{"spec": {"replics": 1, "replicas": 5}}'),
    "merge": (MERGE, b'{"spec": {"replics": 1, "replicas": 5}}'),
    "json": (
        JSON_PATCH,
        b'[{"op": "add", "path": "/spec/replics", "value": 1}, {"op": "add", "path": "/spec/replicas", "value": 5}]',
    ),
}


@pytest.mark.parametrize(("kind", "body"), PATCHES.values(), ids=PATCHES)
async def test_patches_are_validated_by_what_comes_of_them(kind: str, body: bytes) -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        refused = await patched(gateway, body, kind, "Strict")
        assert (refused.status, refused.json["reason"]) == (422, "Invalid")
        assert 'strict decoding error: unknown field "spec.replics"' in refused.json["message"]
        assert [cause["field"] for cause in refused.json["details"]["causes"]] == ["patch"]
        warned = await patched(gateway, body, kind)
        assert (warned.json["spec"]["replicas"], told(warned)) == (5, ['unknown field "spec.replics"'])
        again = await patched(gateway, body, kind, "Warn")  # nothing changes, and it is told all the same
        assert told(again) == ['unknown field "spec.replics"']
        assert (await patched(gateway, body, kind, "Ignore")).warnings == ()


async def test_a_patch_may_say_something_twice_unless_it_is_strict() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        body = b'{"spec": {"replicas": 1, "replicas": 2}}'
        got = await patched(gateway, body, MERGE)
        assert (got.json["spec"]["replicas"], told(got)) == (2, ['duplicate field "spec.replicas"'])
        refused = await patched(gateway, body, MERGE, "Strict")
        assert 'strict decoding error: duplicate field "spec.replicas"' in refused.json["message"]


async def test_a_patch_to_a_wrong_type_is_invalid() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        refused = await patched(gateway, b'{"spec": {"replicas": "many"}}', MERGE)
        assert (refused.status, refused.json["reason"]) == (422, "Invalid")
        assert "spec.replicas: expected 32-bit integer" in refused.json["message"]
        assert (await patched(gateway, b"[]", MERGE)).status == 400


async def test_the_scale_is_validated_too() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        body = b'{"spec": {"replicas": 4, "replics": 1}}'
        got = await patched(gateway, body, MERGE, name="web/scale")
        assert (got.json["spec"]["replicas"], told(got)) == (4, ['unknown field "spec.replics"'])
        put = await gateway.ask("PUT", f"{DEPLOYMENTS}/web/scale?fieldValidation=Strict", {"spec": {"replics": 1}})
        assert put.status == 400
        assert (await gateway.get(f"{DEPLOYMENTS}/web")).json["spec"]["replicas"] == 4


async def test_a_word_that_is_none_is_refused() -> None:
    async with serving() as gateway:
        got = await post(gateway, sloppy(), "Perhaps")
        assert (got.status, got.json["details"]["causes"][0]["field"]) == (422, "fieldValidation")
