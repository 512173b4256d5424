"""Server-side apply over REST, and the record that every write through the gateway leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.serving import CONFIG_MAPS, DEPLOYMENTS, Got, Served, config_map, deployment, serving

WEB = f"{DEPLOYMENTS}/web"
APPLY = {"Content-Type": "application/apply-patch+yaml"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


async def apply(gateway: Served, config: Any, query: str = "fieldManager=me", path: str = WEB) -> Got:
    body = config if isinstance(config, bytes) else json.dumps(config).encode()
    return await gateway.ask("PATCH", f"{path}?{query}", body, headers=APPLY)


def managers(got: Got) -> list[tuple[str, str, str]]:
    entries = got.json["metadata"].get("managedFields", [])
    return [(each["manager"], each["operation"], each.get("subresource", "")) for each in entries]


async def test_created_then_merged() -> None:
    async with serving() as gateway:
        assert (await apply(gateway, deployment())).status == 201
        again = await apply(gateway, deployment())
        assert again.status == 200
        assert managers(again) == [("me", "Apply", "")]
        text = b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  paused: yes\n"
        yaml = await apply(gateway, text, "fieldManager=other")
        assert yaml.json["spec"]["paused"] is True
        assert yaml.json["spec"]["replicas"] == 3


async def test_a_conflict_tells_its_causes() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-client-side-apply", deployment())
        got = await apply(gateway, deployment(replicas=4))
        message = 'conflict with "kubectl-client-side-apply" using apps/v1'
        assert got.status == 409
        assert got.json["reason"] == "Conflict"
        assert got.json["message"] == f"Apply failed with 1 conflict: {message}: .spec.replicas"
        assert got.json["details"] == {
            "causes": [{"reason": "FieldManagerConflict", "message": message, "field": ".spec.replicas"}]
        }
        forced = await apply(gateway, deployment(replicas=4), "fieldManager=me&force=true")
        assert forced.json["spec"]["replicas"] == 4


REFUSED: dict[str, tuple[str, Any, int, str]] = {
    "nobody's": ("", deployment(), 422, "fieldManager: Required value: is required for apply patch"),
    "another kind": ("fieldManager=me", {"apiVersion": "v1", "kind": "Pod"}, 400, "invalid object type: /v1, Kind=Pod"),
    "with owners": (
        "fieldManager=me",
        {**deployment(), "metadata": {"name": "web", "managedFields": [{}]}},
        400,
        "metadata.managedFields must be nil",
    ),
    "no object": ("fieldManager=me", b"- a", 400, "must be a JSON object"),
}


@pytest.mark.parametrize(("query", "config", "status", "sentence"), REFUSED.values(), ids=REFUSED)
async def test_refused(query: str, config: Any, status: int, sentence: str) -> None:
    async with serving() as gateway:
        got = await apply(gateway, config, query)
        assert (got.status, got.json["kind"]) == (status, "Status")
        assert sentence in got.json["message"]


async def test_force_is_for_applies_only() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        merge = {"Content-Type": "application/merge-patch+json"}
        got = await gateway.ask("PATCH", f"{WEB}?force=true", b"{}", headers=merge)
        assert (got.status, got.json["reason"]) == (422, "Invalid")
        assert "force: Forbidden" in got.json["message"]


async def test_every_write_leaves_its_record() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment(), headers={"User-Agent": "curl/8.1 (linux)"})
        merge = {"Content-Type": "application/strategic-merge-patch+json"}
        await gateway.ask("PATCH", f"{WEB}?fieldManager=edit", b'{"spec": {"paused": true}}', headers=merge)
        scale = await gateway.get(f"{WEB}/scale")
        await gateway.ask("PUT", f"{WEB}/scale?fieldManager=hpa", {**scale.json, "spec": {"replicas": 9}})
        status = (await gateway.get(WEB)).json
        status["status"] = {"replicas": 2}
        await gateway.ask("PUT", f"{WEB}/status?fieldManager=c", status)
        assert sorted(managers(await gateway.get(WEB))) == [
            ("c", "Update", "status"),
            ("curl", "Update", ""),
            ("edit", "Update", ""),
            ("hpa", "Update", "scale"),
        ]


async def test_the_record_looks_as_on_a_real_server() -> None:
    """The entry of ``kubectl create deployment`` as public pages show it, byte by byte."""
    async with serving() as gateway:
        got = await gateway.ask("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-create", deployment())
        (entry,) = got.json["metadata"]["managedFields"]
        assert {name: value for name, value in entry.items() if name not in ("fieldsV1", "time")} == {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "apps/v1",
            "fieldsType": "FieldsV1",
        }
        container = (
            '"k:{\\"name\\":\\"nginx\\"}":{".":{},"f:image":{},"f:imagePullPolicy":{},"f:name":{},"f:resources":{},'
            '"f:terminationMessagePath":{},"f:terminationMessagePolicy":{}}'
        )
        pod_spec = (
            f'"f:spec":{{"f:containers":{{{container}}},"f:dnsPolicy":{{}},"f:restartPolicy":{{}},'
            '"f:schedulerName":{},"f:securityContext":{},"f:terminationGracePeriodSeconds":{}}'
        )
        fields = (
            '{"f:spec":{"f:progressDeadlineSeconds":{},"f:replicas":{},"f:revisionHistoryLimit":{},"f:selector":{},'
            '"f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{},"f:maxUnavailable":{}},"f:type":{}},'
            f'"f:template":{{"f:metadata":{{"f:labels":{{".":{{}},"f:app":{{}}}}}},{pod_spec}}}}}}}'
        )
        assert f'"fieldsV1":{fields}'.encode() in got.body


async def test_the_hand_over_of_kubectl() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", f"{DEPLOYMENTS}?fieldManager=kubectl-client-side-apply", deployment())
        found = await gateway.get(WEB)
        metadata = found.json["metadata"]
        entry = {**metadata["managedFields"][0], "manager": "kubectl", "operation": "Apply"}
        operations = [
            {"op": "replace", "path": "/metadata/managedFields", "value": [entry]},
            {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        ]
        patched = await gateway.ask("PATCH", WEB, json.dumps(operations).encode(), headers=JSON_PATCH)
        assert patched.status == 200
        assert managers(patched) == [("kubectl", "Apply", "")]
        stale = await gateway.ask("PATCH", WEB, json.dumps(operations).encode(), headers=JSON_PATCH)
        assert (stale.status, stale.json["reason"]) == (409, "Conflict")
        left = deployment()
        del left["spec"]["replicas"]
        assert (await apply(gateway, left, "fieldManager=kubectl")).json["spec"]["replicas"] == 1  # the default again


@pytest.mark.parametrize("empty", [[], [{}]])
async def test_a_put_can_reset_the_record(empty: list[Any]) -> None:
    async with serving() as gateway:
        created = (await gateway.ask("POST", CONFIG_MAPS, config_map(a="1"))).json
        created["metadata"]["managedFields"] = empty
        got = await gateway.ask("PUT", f"{CONFIG_MAPS}/settings", created)
        assert managers(got) == []


async def test_status_and_scale_are_applied_too() -> None:
    async with serving() as gateway:
        await apply(gateway, deployment())
        status = {"apiVersion": "apps/v1", "kind": "Deployment", "status": {"replicas": 3}}
        got = await apply(gateway, status, "fieldManager=s", f"{WEB}/status")
        assert got.json["status"]["replicas"] == 3
        scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 6}}
        got = await apply(gateway, scale, "fieldManager=hpa&force=true", f"{WEB}/scale")
        assert (got.json["kind"], got.json["spec"]) == ("Scale", {"replicas": 6})
        assert ("hpa", "Apply", "scale") in managers(await gateway.get(WEB))


async def test_a_rehearsal_answers_as_real() -> None:
    async with serving() as gateway:
        got = await apply(gateway, deployment(), "fieldManager=me&dryRun=All")
        assert got.status == 201
        assert managers(got) == [("me", "Apply", "")]
        assert (await gateway.get(WEB)).status == 404


async def test_unknown_fields_are_told_as_asked() -> None:
    async with serving() as gateway:
        wrong = {**config_map(a="1"), "nope": 1}
        path = f"{CONFIG_MAPS}/settings"
        strict = await apply(gateway, wrong, "fieldManager=me&fieldValidation=Strict", path)
        assert (strict.status, strict.json["message"]) == (400, 'strict decoding error: unknown field "nope"')
        warned = await apply(gateway, wrong, "fieldManager=me&fieldValidation=Warn", path)
        assert (warned.status, list(warned.warnings)) == (201, ['299 - "unknown field \\"nope\\""'])
        ignored = await apply(gateway, wrong, "fieldManager=me&fieldValidation=Ignore", path)
        assert (ignored.status, list(ignored.warnings)) == (200, [])
