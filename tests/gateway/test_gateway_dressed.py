"""Objects in versions they are not stored in: one store, two dresses."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from rollplane.events.v1 import Event as NewerEvent
from rollplane.meta.v1 import TypeMeta, Unknown
from rollplane_machinery.dresses import V1BETA1_MATCH
from rollplane_machinery.releases import release_of
from tests.gateway.serving import Served, serving

CORE = "/api/v1/namespaces/default/events"
NEWER = "/apis/events.k8s.io/v1/namespaces/default/events"
BUDGETS = "/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets"
MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}


def event(name: str = "web.1") -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": name},
        "eventTime": "2026-11-23T02:54:52.000001Z",
        "reportingController": "test",
        "reportingInstance": "test-1",
        "action": "Looking",
        "reason": "Seen",
        "regarding": {"kind": "Pod", "name": "web", "namespace": "default"},
        "note": "a sentence",
        "type": "Normal",
    }


async def made(gateway: Served, name: str = "web.1") -> dict[str, Any]:
    got = await gateway.ask("POST", NEWER, event(name))
    assert got.status == 201, got.body
    body: dict[str, Any] = got.json
    return body


async def test_the_life_of_an_event() -> None:
    async with serving() as gateway:
        created = await made(gateway)
        assert (created["apiVersion"], created["note"]) == ("events.k8s.io/v1", "a sentence")
        plain = (await gateway.get(f"{CORE}/web.1")).json
        assert (plain["message"], plain["involvedObject"]["name"]) == ("a sentence", "web")
        assert (await gateway.get(f"{NEWER}/web.1")).json == created
        listed = (await gateway.get(f"{NEWER}?fieldSelector=regarding.name%3Dweb")).json
        assert (listed["kind"], listed["apiVersion"], len(listed["items"])) == ("EventList", "events.k8s.io/v1", 1)
        assert listed["items"][0]["note"] == "a sentence"
        assert (await gateway.get(f"{NEWER}?fieldSelector=regarding.name%3Dother")).json["items"] == []
        replaced = await gateway.ask("PUT", f"{NEWER}/web.1", {**created, "note": "another"})
        assert replaced.json["note"] == "another"
        assert (await gateway.get(f"{CORE}/web.1")).json["message"] == "another"
        gone = await gateway.ask("DELETE", f"{NEWER}/web.1")
        assert gone.status == 200
        assert (await gateway.get(f"{CORE}/web.1")).status == 404


async def test_an_event_in_protobuf() -> None:
    """As the recorders of Go programs send it."""
    sent = NewerEvent(note="a sentence", reporting_controller="test")
    sent.metadata.name = "web.1"
    sent.regarding.name, sent.regarding.namespace = "web", "default"
    type_meta = TypeMeta(api_version="events.k8s.io/v1", kind="Event")
    body = b"k8s\0" + Unknown(type_meta=type_meta, raw=sent.SerializeToString()).SerializeToString()
    protobuf = "application/vnd.kubernetes.protobuf"
    async with serving() as gateway:
        got = await gateway.ask("POST", NEWER, body, headers={"Content-Type": protobuf, "Accept": protobuf})
        assert got.status == 201, got.body
        assert NewerEvent.FromString(Unknown.FromString(got.body[4:]).raw).note == "a sentence"
        assert (await gateway.get(f"{CORE}/web.1")).json["message"] == "a sentence"


async def test_a_recorder_counts_repetitions() -> None:
    async with serving() as gateway:
        await made(gateway)
        series = {"series": {"count": 2, "lastObservedTime": "2026-11-23T02:55:52.000001Z"}}
        got = await gateway.ask("PATCH", f"{NEWER}/web.1", json.dumps(series).encode(), headers=STRATEGIC)
        assert (got.status, got.json["series"]["count"]) == (200, 2)
        assert (await gateway.get(f"{CORE}/web.1")).json["series"]["count"] == 2


async def test_patches_speak_the_version_of_the_client() -> None:
    async with serving() as gateway:
        await made(gateway)
        whole = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "merged"}
        got = await gateway.ask("PATCH", f"{NEWER}/web.1", json.dumps(whole).encode(), headers=MERGE)
        assert got.json["note"] == "merged"
        operations = b'[{"op": "replace", "path": "/note", "value": "operated"}]'
        headers = {"Content-Type": "application/json-patch+json"}
        got = await gateway.ask("PATCH", f"{NEWER}/web.1", operations, headers=headers)
        assert got.json["note"] == "operated"
        unknown = await gateway.ask("PATCH", f"{NEWER}/web.1?fieldValidation=Strict", b'{"message": 1}', headers=MERGE)
        assert unknown.status == 422
        apply = {"Content-Type": "application/apply-patch+yaml"}
        assert (await gateway.ask("PATCH", f"{NEWER}/web.1", b"{}", headers=apply)).status == 415
        assert (await gateway.ask("PATCH", f"{NEWER}/nobody", b"{}", headers=MERGE)).status == 404


async def test_a_version_in_a_patch_is_a_precondition() -> None:
    async with serving() as gateway:
        await made(gateway)
        stale = b'{"metadata": {"resourceVersion": "1"}, "note": "x"}'
        got = await gateway.ask("PATCH", f"{NEWER}/web.1", stale, headers=MERGE)
        assert (got.status, got.json["reason"]) == (409, "Conflict")


async def test_patches_that_cross_are_all_made() -> None:
    async with serving() as gateway:
        await made(gateway)

        async def label(number: int) -> int:
            document = json.dumps({"metadata": {"labels": {f"l{number}": "x"}}}).encode()
            return (await gateway.ask("PATCH", f"{NEWER}/web.1", document, headers=MERGE)).status

        assert await asyncio.gather(*(label(number) for number in range(3))) == [200] * 3
        assert len((await gateway.get(f"{NEWER}/web.1")).json["metadata"]["labels"]) == 3


async def test_a_collection_is_deleted_by_the_names_of_the_version() -> None:
    async with serving() as gateway:
        await made(gateway)
        await made(gateway, "web.2")
        await gateway.ask("DELETE", f"{NEWER}?fieldSelector=regarding.name%3Dother")
        assert len((await gateway.get(CORE)).json["items"]) == 2
        await gateway.ask("DELETE", f"{NEWER}?fieldSelector=regarding.name%3Dweb")
        assert (await gateway.get(CORE)).json["items"] == []


async def test_watched_in_the_newer_dress() -> None:
    async with serving() as gateway:
        async with gateway.session.get(f"{gateway.url}{NEWER}?watch=true") as got:
            await made(gateway)
            async with asyncio.timeout(30):
                told = json.loads(await got.content.readline())
        assert (told["type"], told["object"]["apiVersion"]) == ("ADDED", "events.k8s.io/v1")
        assert told["object"]["note"] == "a sentence"


async def test_a_budget_of_no_pod() -> None:
    async with serving(release=release_of("1.24")) as gateway:
        spec = {"selector": {}, "minAvailable": 1}
        got = await gateway.ask("POST", BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
        assert (got.status, got.json["apiVersion"]) == (201, "policy/v1beta1")
        assert got.json["spec"]["selector"] == {}
        stored = (await gateway.get("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b")).json
        assert stored["spec"]["selector"] == {"matchExpressions": [{"key": V1BETA1_MATCH, "operator": "Exists"}]}
        patched = await gateway.ask("PATCH", f"{BUDGETS}/b", b'{"spec": {"minAvailable": 2}}', headers=MERGE)
        assert patched.json["spec"] == {"selector": {}, "minAvailable": 2}
        status = b'{"status": {"expectedPods": 3}}'
        told = await gateway.ask("PATCH", f"{BUDGETS}/b/status", status, headers=MERGE)
        assert told.json["status"]["expectedPods"] == 3


@pytest.mark.parametrize(("release", "status"), [("1.24", 200), ("1.25", 404)])
async def test_beta_versions_went(release: str, status: int) -> None:
    async with serving(release=release_of(release)) as gateway:
        assert (await gateway.get(BUDGETS)).status == status
        assert (await gateway.get("/apis/events.k8s.io/v1beta1/events")).status == status


HPA = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"


async def test_an_autoscaler_in_v1_is_one_in_v2() -> None:
    """``kubectl autoscale`` writes v1, and older charts do."""
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    body = {"metadata": {"name": "web"}, "spec": {"scaleTargetRef": target, "maxReplicas": 3, "minReplicas": 2}}
    async with serving() as gateway:
        created = await gateway.ask("POST", HPA, body)
        assert (created.status, created.json["apiVersion"]) == (201, "autoscaling/v1")
        assert created.json["spec"]["targetCPUUtilizationPercentage"] == 80
        change = {"spec": {"targetCPUUtilizationPercentage": 60}}
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        patched = await gateway.ask("PATCH", f"{HPA}/web", json.dumps(change).encode(), headers=headers)
        assert patched.json["spec"]["targetCPUUtilizationPercentage"] == 60
        newer = (await gateway.get(HPA.replace("v1", "v2") + "/web")).json
        assert newer["spec"]["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
        assert newer["spec"]["minReplicas"] == 2


async def test_an_older_version_is_applied_on_the_server_s_side() -> None:
    target = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    sent = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": spec,
    }
    headers = {"Content-Type": "application/apply-patch+yaml"}
    async with serving() as gateway:
        for manager, status in (("a", 201), ("a", 200)):
            path = f"{HPA}/web?fieldManager={manager}"
            got = await gateway.ask("PATCH", path, json.dumps(sent).encode(), headers=headers)
            assert (got.status, got.json["spec"]["targetCPUUtilizationPercentage"]) == (status, 50), got.body
