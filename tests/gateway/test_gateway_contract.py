"""What clients rely on beside the verbs: names, preconditions, media types, codes and the wording of errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap
from rollplane.meta.v1 import DeleteOptions, Preconditions, Status
from rollplane_gateway.negotiation import OBJECT_FORMS, negotiate
from rollplane_gateway.rendering import Form, unwrapped, wrapped
from rollplane_gateway.statuses import RefusedError
from rollplane_gateway.verbs.answers import STORED_FORMS
from tests.gateway.serving import CONFIG_MAPS, DEPLOYMENTS, PODS, Got, Served, config_map, deployment, serving

MERGE = {"Content-Type": "application/merge-patch+json"}
PROTOBUF = "application/vnd.kubernetes.protobuf"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

WANTED = {
    "": Form.JSON,
    "*/*": Form.JSON,
    "application/json": Form.JSON,
    "application/json, */*": Form.JSON,
    "application/yaml": Form.YAML,
    f"{PROTOBUF},application/json": Form.PROTOBUF,
    f"{PROTOBUF}, */*": Form.PROTOBUF,
    f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json": Form.TABLE,
    f"application/json;as=Table;v=v2;g=meta.k8s.io,{PROTOBUF}": Form.PROTOBUF,
    f"application/json;{PARTIAL}": Form.PARTIAL_JSON,
    f"{PROTOBUF};{PARTIAL},application/json;{PARTIAL},application/json": Form.PARTIAL_PROTOBUF,
    "application/json;q=0.5,application/yaml": Form.YAML,
    "text/html,*/*;q=0.1": Form.JSON,
    "application/cbor,application/json": Form.JSON,
}


@pytest.mark.parametrize(("accept", "form"), WANTED.items())
def test_the_form_is_the_first_that_can_be_had(accept: str, form: Form) -> None:
    assert negotiate(accept, STORED_FORMS).form is form


def test_what_cannot_be_had_is_not_acceptable() -> None:
    for accept in ("text/html", TABLE, "application/json;q=0"):
        with pytest.raises(RefusedError) as refused:
            negotiate(accept, OBJECT_FORMS)
        assert refused.value.code == 406


async def put(gateway: Served, path: str, body: Any) -> Got:
    return await gateway.ask("PUT", path, body)


async def test_names_and_namespaces_must_agree_with_the_path() -> None:
    async with serving() as gateway:
        elsewhere = config_map("a")
        elsewhere["metadata"]["namespace"] = "other"
        got = await gateway.ask("POST", CONFIG_MAPS, elsewhere)
        assert (got.status, got.json["message"]) == (
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        )
        await gateway.ask("POST", CONFIG_MAPS, config_map("a"))
        got = await put(gateway, f"{CONFIG_MAPS}/a", config_map("b"))
        assert got.json["message"] == "the name of the object (b) does not match the name on the URL (a)"
        got = await put(gateway, f"{CONFIG_MAPS}/a", {"data": {}})
        assert "name must be provided" in got.json["message"]
        wrong = await gateway.ask("POST", CONFIG_MAPS, {**config_map("a"), "apiVersion": "v2"})
        assert wrong.json["message"] == (
            "the API version in the data (v2) does not match the expected API version (v1)"
        )


async def test_a_body_need_not_say_what_it_is() -> None:
    async with serving() as gateway:
        got = await gateway.ask("POST", CONFIG_MAPS, {"metadata": {"name": "a", "creationTimestamp": None}})
        assert (got.status, got.json["kind"]) == (201, "ConfigMap")
        generated = await gateway.ask("POST", CONFIG_MAPS, {"metadata": {"generateName": "made-"}})
        assert generated.json["metadata"]["name"].startswith("made-")
        with_status = {**deployment(), "status": {}}
        assert (await gateway.ask("POST", DEPLOYMENTS, with_status)).status == 201


async def test_errors_bear_what_kubectl_renders_them_by() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        there = await gateway.ask("POST", DEPLOYMENTS, deployment())
        assert (there.status, there.json["reason"]) == (409, "AlreadyExists")
        assert there.json["details"] == {"name": "web", "group": "apps", "kind": "deployments"}
        wrong = deployment("bad")
        wrong["spec"]["template"]["metadata"]["labels"] = {}
        invalid = await gateway.ask("POST", DEPLOYMENTS, wrong)
        assert (invalid.status, invalid.json["reason"]) == (422, "Invalid")
        assert (invalid.json["details"]["kind"], invalid.json["details"]["name"]) == ("Deployment", "bad")
        assert invalid.json["details"]["causes"][0]["field"].startswith("spec.")
        unread = await gateway.ask("POST", DEPLOYMENTS, b"{", headers={"Content-Type": "application/json"})
        assert (unread.status, unread.json["reason"]) == (400, "BadRequest")
        for deep in (b"[" * 100_000, b'{"data": ' * 300 + b"1" + b"}" * 300):
            got = await gateway.ask("POST", CONFIG_MAPS, deep, headers={"Content-Type": "application/json"})
            assert (got.status, got.json["message"]) == (400, "the body is nested deeper than 200 levels")
        unknown = await gateway.ask("POST", CONFIG_MAPS, b"<a/>", headers={"Content-Type": "application/xml"})
        assert (unknown.status, unknown.json["reason"]) == (415, "UnsupportedMediaType")
        patch = await gateway.ask("PATCH", f"{DEPLOYMENTS}/web", b"{}", headers={"Content-Type": "application/json"})
        assert patch.status == 415
        page = await gateway.get(CONFIG_MAPS, Accept="text/html")
        assert (page.status, page.json["reason"]) == (406, "NotAcceptable")
        assert (await gateway.ask("PUT", DEPLOYMENTS, {})).status == 405
        assert (await gateway.ask("GET", f"{PODS}/p/eviction")).status == 405
        assert (await gateway.ask("DELETE", "/api/v1/namespaces")).status == 405


async def test_versions_in_a_patch_are_preconditions() -> None:
    async with serving() as gateway:
        made = (await gateway.ask("POST", CONFIG_MAPS, config_map("a"))).json
        version = made["metadata"]["resourceVersion"]
        one = {"metadata": {"resourceVersion": version}, "data": {"k": "1"}}
        assert (await gateway.ask("PATCH", f"{CONFIG_MAPS}/a", json.dumps(one).encode(), headers=MERGE)).status == 200
        again = {"metadata": {"resourceVersion": version}, "data": {"k": "2"}}
        late = await gateway.ask("PATCH", f"{CONFIG_MAPS}/a", json.dumps(again).encode(), headers=MERGE)
        assert (late.status, late.json["reason"]) == (409, "Conflict")
        other = {"metadata": {"uid": "another"}, "data": {"k": "2"}}
        assert (await gateway.ask("PATCH", f"{CONFIG_MAPS}/a", json.dumps(other).encode(), headers=MERGE)).status == 409
        renamed = {"metadata": {"name": "b"}}
        refused = await gateway.ask("PATCH", f"{CONFIG_MAPS}/a", json.dumps(renamed).encode(), headers=MERGE)
        assert refused.status in (400, 422)


async def test_a_patch_that_changes_nothing_answers_the_same_version() -> None:
    async with serving() as gateway:
        made = (await gateway.ask("POST", CONFIG_MAPS, config_map("a", k="1"))).json
        got = await gateway.ask("PATCH", f"{CONFIG_MAPS}/a", b'{"data": {"k": "1"}}', headers=MERGE)
        assert got.json["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_dry_run_answers_and_stores_nothing() -> None:
    async with serving() as gateway:
        got = await gateway.ask("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("a"))
        assert (got.status, got.json["metadata"]["name"]) == (201, "a")
        assert (await gateway.get(f"{CONFIG_MAPS}/a")).status == 404
        await gateway.ask("POST", CONFIG_MAPS, config_map("a"))
        for query, body in (("?dryRun=All", None), ("", {"dryRun": ["All"]})):
            assert (await gateway.ask("DELETE", f"{CONFIG_MAPS}/a{query}", body)).status == 200
            assert (await gateway.get(f"{CONFIG_MAPS}/a")).status == 200
        refused = await gateway.ask("POST", f"{CONFIG_MAPS}?dryRun=Some", config_map("b"))
        assert (refused.status, refused.json["details"]["causes"][0]["field"]) == (422, "dryRun")


async def test_protobuf_in_and_out() -> None:
    async with serving() as gateway:
        message = ConfigMap(data={"k": "v"})
        message.metadata.name = "a"
        body = wrapped("v1", "ConfigMap", message.SerializeToString())
        headers = {"Content-Type": PROTOBUF, "Accept": f"{PROTOBUF},application/json"}
        made = await gateway.ask("POST", CONFIG_MAPS, body, headers=headers)
        assert (made.status, made.content_type) == (201, PROTOBUF)
        api_version, kind, raw = unwrapped(made.body)
        assert (api_version, kind, ConfigMap.FromString(raw).data["k"]) == ("v1", "ConfigMap", "v")
        uid = ConfigMap.FromString(raw).metadata.uid
        missing = await gateway.get(f"{CONFIG_MAPS}/b", Accept=PROTOBUF)
        assert (missing.status, missing.content_type) == (404, PROTOBUF)
        assert Status.FromString(unwrapped(missing.body)[2]).reason == "NotFound"
        wrong = DeleteOptions(preconditions=Preconditions(uid="another"))
        body = wrapped("v1", "DeleteOptions", wrong.SerializeToString())
        assert (await gateway.ask("DELETE", f"{CONFIG_MAPS}/a", body, headers=headers)).status == 409
        right = DeleteOptions(preconditions=Preconditions(uid=uid), propagation_policy="Background")
        body = wrapped("v1", "DeleteOptions", right.SerializeToString())
        assert (await gateway.ask("DELETE", f"{CONFIG_MAPS}/a", body, headers=headers)).status == 200
        for broken in (b"k8s\0\xff", b"not protobuf", wrapped("v1", "Pod", b"")):
            assert (await gateway.ask("POST", CONFIG_MAPS, broken, headers=headers)).status == 400


async def test_protobuf_of_a_workload_is_stored_as_its_json_would_be() -> None:
    async with serving() as gateway:
        one = (await gateway.ask("POST", DEPLOYMENTS, deployment("one"))).json
        raw = unwrapped((await gateway.get(f"{DEPLOYMENTS}/one", Accept=PROTOBUF)).body)[2]
        message = Deployment.FromString(raw)
        message.metadata.Clear()
        message.metadata.name, message.metadata.namespace = "two", ""  # Go writes what is empty, too
        message.status.Clear()
        body = wrapped("apps/v1", "Deployment", message.SerializeToString())
        two = (await gateway.ask("POST", DEPLOYMENTS, body, headers={"Content-Type": PROTOBUF})).json
        assert two["spec"] == one["spec"]
        assert two["metadata"]["namespace"] == "default"


async def test_deletions_are_answered_as_each_kind_is() -> None:
    async with serving() as gateway:
        pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        made = (await gateway.ask("POST", PODS, pod)).json
        gone = await gateway.ask("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
        assert (gone.json["kind"], gone.json["metadata"]["uid"]) == ("Pod", made["metadata"]["uid"])
        held = config_map("held")
        held["metadata"]["finalizers"] = ["example.com/hold"]
        await gateway.ask("POST", CONFIG_MAPS, held)
        waits = await gateway.ask("DELETE", f"{CONFIG_MAPS}/held")
        assert (waits.status, waits.json["kind"]) == (200, "ConfigMap")
        assert waits.json["metadata"]["deletionTimestamp"]
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        orphaning = await gateway.ask("DELETE", f"{DEPLOYMENTS}/web", {"orphanDependents": True})
        assert orphaning.json["kind"] == "Deployment"
        both = {"orphanDependents": True, "propagationPolicy": "Orphan"}
        assert (await gateway.ask("DELETE", f"{CONFIG_MAPS}/held", both)).status == 422


async def test_slashes_at_the_end_and_quoted_names_are_taken() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", f"{CONFIG_MAPS}/", config_map("a.b"))
        assert (await gateway.get(f"{CONFIG_MAPS}/a%2Eb/")).status == 200
        for path in ("/version/", "/api/", "/apis/", "/api/v1/", "/apis/apps/", "/apis/apps/v1/"):
            assert (await gateway.get(path)).status == 200, path
        assert (await gateway.get(f"{CONFIG_MAPS}/a%2Fb")).status in (400, 404)


async def test_writes_are_made_in_the_name_of_the_client() -> None:
    async with serving() as gateway:
        agent = {"User-Agent": "my-tool/1.2 (linux)"}
        got = await gateway.ask("POST", CONFIG_MAPS, config_map("a", k="v"), headers=agent)
        assert [entry["manager"] for entry in got.json["metadata"]["managedFields"]] == ["my-tool"]
        got = await gateway.ask(
            "POST", f"{CONFIG_MAPS}?fieldManager=kubectl-create", config_map("b", k="v"), headers=agent
        )
        assert got.json["metadata"]["managedFields"][0]["manager"] == "kubectl-create"
        refused = await gateway.ask("POST", f"{CONFIG_MAPS}?fieldManager={'x' * 129}", config_map("c"))
        assert (refused.status, refused.json["details"]["causes"][0]["field"]) == (422, "fieldManager")


async def test_the_finalizers_of_a_namespace_are_a_subresource() -> None:
    async with serving() as gateway:
        made = await gateway.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "going"}})
        assert (await gateway.ask("DELETE", "/api/v1/namespaces/going")).json["status"]["phase"] == "Terminating"
        emptied = {**made.json, "spec": {"finalizers": []}}
        emptied["metadata"] = {"name": "going"}
        got = await gateway.ask("PUT", "/api/v1/namespaces/going/finalize", emptied)
        assert got.status == 200
        assert (await gateway.get("/api/v1/namespaces/going")).status == 404
