"""What is sent below an object's path must mean that object."""

from __future__ import annotations

import pytest

from tests.gateway.serving import DEPLOYMENTS, PODS, deployment, serving

POD = {"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
NODE = {"target": {"kind": "Node", "name": "n"}}
NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


@pytest.mark.parametrize(("part", "kind"), [("eviction", "Eviction"), ("binding", "Binding")])
@pytest.mark.parametrize("name", ["two", ""])
async def test_what_is_posted_to_a_pod_names_it(part: str, kind: str, name: str) -> None:
    async with serving() as gateway:
        await gateway.ask("POST", PODS, POD)
        body = {"metadata": {"name": name}, **(NODE if part == "binding" else {})}
        got = await gateway.ask("POST", f"{PODS}/one/{part}", body)
        assert (got.status, got.json["message"]) == (400, f"name in URL does not match name in {kind} object")
        elsewhere = {**body, "metadata": {"name": "one", "namespace": "other"}}
        got = await gateway.ask("POST", f"{PODS}/one/{part}", elsewhere)
        assert (got.status, got.json["message"]) == (400, NAMESPACE)
        assert "nodeName" not in (await gateway.get(f"{PODS}/one")).json["spec"]


async def test_a_scale_names_what_it_scales() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        path = f"{DEPLOYMENTS}/web/scale"
        other = await gateway.ask("PUT", path, {"metadata": {"name": "other"}, "spec": {"replicas": 1}})
        assert other.json["message"] == "the name of the object (other) does not match the name on the URL (web)"
        nameless = await gateway.ask("PUT", path, {"spec": {"replicas": 1}})
        assert (nameless.status, "name must be provided" in nameless.json["message"]) == (400, True)
        elsewhere = {"metadata": {"name": "web", "namespace": "other"}, "spec": {"replicas": 1}}
        assert (await gateway.ask("PUT", path, elsewhere)).json["message"] == NAMESPACE
        assert (await gateway.get(path)).json["spec"]["replicas"] == 3


DOCUMENTS: dict[str, tuple[str, bytes]] = {
    "merge": ("application/merge-patch+json", b'{"metadata": {"%s": %s}}'),
    "strategic": ("application/strategic-merge-patch+json", b'{"metadata": {"%s": %s}}'),
    "JSON": ("application/json-patch+json", b'[{"op": "replace", "path": "/metadata/%s", "value": %s}]'),
}
EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"
EVENT = {
    "metadata": {"name": "web"},
    "eventTime": "2024-01-02T03:04:05.678901Z",
    "reportingController": "test",
    "reportingInstance": "test-1",
    "action": "Looking",
    "reason": "Seen",
    "regarding": {"kind": "Pod", "name": "web", "namespace": "default"},
    "type": "Normal",
}


@pytest.mark.parametrize(("media", "document"), DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("part", ["", "/status", "/scale"])
async def test_a_patch_changes_neither_name_nor_namespace(media: str, document: bytes, part: str) -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        for field, word in (("name", "URL"), ("namespace", "request")):
            sent = document % (field.encode(), b'"other"')
            got = await gateway.ask("PATCH", f"{DEPLOYMENTS}/web{part}", sent, headers={"Content-Type": media})
            assert (got.status, got.json["reason"]) == (400, "BadRequest"), got.json
            assert got.json["message"].startswith(f"the {field} of the object (other) does not match the {field} on")
            assert word in got.json["message"]


async def test_a_patch_of_another_version_hits_no_other_object() -> None:
    merge = {"Content-Type": "application/merge-patch+json"}
    async with serving() as gateway:
        for name in ("web", "other"):
            made = await gateway.ask("POST", EVENTS, {**EVENT, "metadata": {"name": name}})
            assert made.status == 201, made.json
        sent = b'{"metadata": {"name": "other", "resourceVersion": null}, "note": "hit"}'
        got = await gateway.ask("PATCH", f"{EVENTS}/web", sent, headers=merge)
        assert got.json["message"] == "the name of the object (other) does not match the name on the URL (web)"
        assert "note" not in (await gateway.get(f"{EVENTS}/other")).json
