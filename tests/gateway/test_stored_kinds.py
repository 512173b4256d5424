"""Kinds that are kept as JSON, over REST and over the Api: every one of them, from its row in the registry."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.message_factory import GetMessageClass

from rollplane.meta.v1 import ObjectMeta
from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_gateway.rendering.envelope import unwrapped, wrapped
from rollplane_machinery.api import Create, Key, ListQuery
from rollplane_machinery.codec import from_json, message_from_json, message_to_json, to_json
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import ACTING_KINDS, STORED_KINDS, UNCALLED_KINDS, Encoded, Kind
from tests.gateway.serving import Served, serving

WARNED = re.compile("but does not act on them|Rollplane does not call this")
IGNORING = CoreSettings(ignore_webhooks=True)
MANIFESTS = Path("clients", "real", "manifests", "stored_kinds.yaml")
STATUSES: Mapping[str, dict[str, Any]] = {
    "APIService": {"conditions": [{"type": "Available", "status": "True", "lastTransitionTime": None}]},
    "CronJob": {"active": [{"kind": "Job", "name": "one-1"}]},
    "FlowSchema": {"conditions": [{"type": "Dangling", "status": "True", "lastTransitionTime": None}]},
    "HorizontalPodAutoscaler": {"currentReplicas": 1, "desiredReplicas": 2, "currentMetrics": None},
    "Ingress": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
    "Job": {"succeeded": 1},
    "PersistentVolume": {"phase": "Bound"},
    "PriorityLevelConfiguration": {"conditions": [{"type": "x", "status": "True", "lastTransitionTime": None}]},
    "ResourceQuota": {"used": {"pods": "1"}},
    "ValidatingAdmissionPolicy": {"observedGeneration": 1},
}
SAMPLES: Mapping[str, dict[str, Any]] = {
    sample["kind"]: sample
    for sample in yaml.safe_load_all((Path(__file__).parents[1] / MANIFESTS).read_text(encoding="utf-8"))
}
"""One of each kind, as people write it."""
KNOWN = [kind for kind in STORED_KINDS if kind.name in SAMPLES]
_kinds = pytest.mark.parametrize("kind", KNOWN, ids=str)
PROTOBUF = "application/vnd.kubernetes.protobuf"


def path_of(kind: Kind) -> str:
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{base}/namespaces/default/{kind.plural}" if kind.namespaced else f"{base}/{kind.plural}"


def made(kind: Kind, name: str = "one", **more: Any) -> dict[str, Any]:
    return {**SAMPLES[kind.name], "metadata": {"name": name}, **more}


async def patch(gateway: Served, path: str, body: object, how: str) -> Any:
    headers = {"Content-Type": f"application/{how}"}
    got = await gateway.ask("PATCH", path, json.dumps(body).encode(), headers=headers)
    assert got.status in (200, 201), got.body
    return got.json


def content(told: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("apiVersion", "kind", "metadata", "status")}


def holds(told: Any, sample: Any) -> bool:
    """Whether all of ``sample`` is in ``told``, which may say more: defaults, and what is always shown."""
    if isinstance(sample, dict):
        return all(name in told and holds(told[name], value) for name, value in sample.items())
    if isinstance(sample, list):
        return len(told) == len(sample) and all(map(holds, told, sample))
    return bool(told == sample)


@_kinds
async def test_a_life_over_rest(kind: Kind) -> None:
    async with serving(settings=IGNORING) as gateway:
        path = path_of(kind)
        created = await gateway.ask("POST", path, made(kind))
        assert created.status == 201, created.body
        assert holds(content(created.json), content(made(kind)))
        assert [WARNED.search(told) is not None for told in created.warnings] == [True] * (kind not in ACTING_KINDS)
        assert created.json["metadata"].get("generation", 0) == (1 if kind.has_generation else 0)
        again = await gateway.ask("POST", path, made(kind))
        assert (again.status, again.json["reason"]) == (409, "AlreadyExists")

        listed = await gateway.get(path)
        assert listed.json["kind"] == f"{kind.name}List"
        assert content(created.json) in [content(item) for item in listed.json["items"]]
        assert (await gateway.get(f"{path}/one")).json == created.json

        for how in ("merge-patch+json", "strategic-merge-patch+json"):
            merged = await patch(gateway, f"{path}/one", {"metadata": {"labels": {"how": how[:5]}}}, how)
            assert merged["metadata"]["labels"]["how"] == how[:5]
            assert merged["metadata"].get("generation", 0) == (1 if kind.has_generation else 0)
        added = [{"op": "add", "path": "/metadata/labels/more", "value": "x"}]
        assert (await patch(gateway, f"{path}/one", added, "json-patch+json"))["metadata"]["labels"]["more"] == "x"

        table = await gateway.get(path, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert next(column["name"] for column in table.json["columnDefinitions"]) == "Name"
        assert "one" in [row["cells"][0] for row in table.json["rows"]]
        assert (await gateway.ask("DELETE", f"{path}/one")).status == 200
        assert (await gateway.get(f"{path}/one")).status == 404


@_kinds
async def test_protobuf_is_taken_and_given(kind: Kind) -> None:
    """What ``kubectl create`` sends of its generators, and what Go's clients ask for."""
    async with serving(settings=IGNORING) as gateway:
        shaped = message_from_json(GetMessageClass(kind.shape), content(made(kind)) | {"metadata": {"name": "one"}})
        body = wrapped(kind.api_version, kind.name, shaped.SerializeToString())
        sent = await gateway.ask("POST", path_of(kind), body, headers={"Content-Type": PROTOBUF})
        assert sent.status == 201, sent.body
        assert holds(content(sent.json), content(made(kind)))
        got = await gateway.get(f"{path_of(kind)}/one", Accept=f"{PROTOBUF},application/json")
        assert got.content_type == PROTOBUF
        api_version, name, raw = unwrapped(got.body)
        assert (api_version, name) == (kind.api_version, kind.name)
        read = message_to_json(GetMessageClass(kind.shape).FromString(raw))
        assert holds(read, content(made(kind)))
        listed = await gateway.get(path_of(kind), Accept=PROTOBUF)
        assert raw in listed.body


@_kinds
async def test_what_nobody_knows_is_refused_or_left_out(kind: Kind) -> None:
    async with serving(settings=IGNORING) as gateway:
        path, wrong = path_of(kind), made(kind, nope=1)
        strict = await gateway.ask("POST", f"{path}?fieldValidation=Strict", wrong)
        assert (strict.status, 'unknown field "nope"' in strict.json["message"]) == (400, True)
        warned = await gateway.ask("POST", path, wrong)
        assert warned.status == 201
        assert any("nope" in told for told in warned.warnings)
        assert "nope" not in warned.json


@_kinds
async def test_the_status_is_written_by_itself(kind: Kind) -> None:
    async with serving(settings=IGNORING) as gateway:
        path, status = path_of(kind), STATUSES.get(kind.name)
        sent = made(kind)
        created = await gateway.ask("POST", path, sent if status is None else {**sent, "status": status})
        assert (status is not None) is kind.has_status
        if status is None:
            assert (await gateway.get(f"{path}/one/status")).status == 404
            return
        assert not holds(created.json["status"], status)
        told = await patch(
            gateway, f"{path}/one/status", {"status": status, "metadata": {"labels": {"a": "b"}}}, "merge-patch+json"
        )
        assert (told["status"], content(told)) == (status, content(created.json))
        kept = await patch(gateway, f"{path}/one", {"status": None}, "merge-patch+json")
        assert kept["status"] == status


JOBS = "/apis/batch/v1/namespaces/default/jobs"


async def test_server_side_apply_goes_by_the_types_of_lists() -> None:
    async with serving(settings=IGNORING) as gateway:
        (kind,) = (each for each in STORED_KINDS if each.name == "Job")

        def job(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
            template = {"template": {"spec": {"restartPolicy": "Never", "containers": list(containers)}}}
            return made(kind, spec={**template, **more})

        path, how = f"{JOBS}/one", "apply-patch+yaml"
        await patch(gateway, f"{path}?fieldManager=a", job({"name": "a", "image": "a:1"}), how)
        both = await patch(gateway, f"{path}?fieldManager=b", job({"name": "b", "image": "b:1"}, parallelism=2), how)
        assert [each["name"] for each in both["spec"]["template"]["spec"]["containers"]] == ["a", "b"]
        contested = json.dumps(job({"name": "b", "image": "b:2"})).encode()
        headers = {"Content-Type": f"application/{how}"}
        got = await gateway.ask("PATCH", f"{path}?fieldManager=a", contested, headers=headers)
        assert (got.status, got.json["reason"]) == (409, "Conflict")
        fields = [cause["field"] for cause in got.json["details"]["causes"]]
        assert fields == ['.spec.template.spec.containers[name="b"].image']


async def test_strategic_merge_goes_by_the_keys_of_lists() -> None:
    """What curl may send; kubectl says besides how the items are ordered."""
    async with serving(settings=IGNORING) as gateway:
        (kind,) = (each for each in STORED_KINDS if each.name == "Job")
        containers = [{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b", "image": "b:1"}]
        spec = {"template": {"spec": {"restartPolicy": "Never", "containers": containers}}}
        await gateway.ask("POST", JOBS, made(kind, spec=spec))
        change = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}}
        told = await patch(gateway, f"{JOBS}/one", change, "strategic-merge-patch+json")
        images = [(each["name"], each["image"]) for each in told["spec"]["template"]["spec"]["containers"]]
        assert images == [("a", "a:2"), ("b", "b:1")]


async def test_a_client_that_knows_lists_tells_how_they_are_ordered() -> None:
    """What kubectl sends for a Job whose template it changes: its keys are in the orders."""
    async with serving(settings=IGNORING) as gateway:
        (kind,) = (each for each in STORED_KINDS if each.name == "Job")
        containers = [{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b", "image": "b:1"}]
        spec = {"template": {"spec": {"restartPolicy": "Never", "containers": containers}}}
        await gateway.ask("POST", JOBS, made(kind, spec=spec))
        change = {
            "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
            "containers": [{"name": "a", "image": "a:2"}],
        }
        body = {"spec": {"template": {"spec": change}}}
        told = await patch(gateway, f"{JOBS}/one", body, "strategic-merge-patch+json")
        images = [(each["name"], each["image"]) for each in told["spec"]["template"]["spec"]["containers"]]
        assert images == [("b", "b:1"), ("a", "a:2")]


@_kinds
async def test_over_the_api_they_travel_as_one_message(kind: Kind) -> None:
    async with serving(settings=IGNORING) as gateway:
        sent = Encoded.of(from_json(made(kind)))
        assert sent.to_any().type_url == "type.googleapis.com/rollplane.stored.v1.StoredObject"
        assert Encoded.from_any(sent.to_any()).kind is kind
        await gateway.api.write(Create(sent))
        key = Key(kind, "default" if kind.namespaced else "", "one")
        (stored,) = [
            each for each in (await gateway.api.list(ListQuery(kind, key.namespace))).objects if each.key == key
        ]
        assert holds(content(to_json(stored.parse())), content(made(kind)))


@_kinds
async def test_metadata_is_strict(kind: Kind) -> None:
    async with serving(settings=IGNORING) as gateway:
        wrong = made(kind, metadata={"name": "one", "labels": {"a": 1}})
        assert (await gateway.ask("POST", path_of(kind), wrong)).status == 400
        unknown = made(kind, metadata={"name": "one", "nope": 1})
        got = await gateway.ask("POST", f"{path_of(kind)}?fieldValidation=Strict", unknown)
        assert (got.status, "metadata.nope" in got.json["message"]) == (400, True)
        named = made(kind, metadata={"name": "a/b"})
        assert (await gateway.ask("POST", path_of(kind), named)).status in (400, 422)


async def test_roles_are_called_what_fits_into_a_path() -> None:
    async with serving(settings=IGNORING) as gateway:
        for kind in KNOWN:
            got = await gateway.ask("POST", path_of(kind), made(kind, "system:controller:One"))
            wanted = 201 if kind.group == "rbac.authorization.k8s.io" else 422
            assert got.status == wanted, kind


@pytest.mark.parametrize("broken", [{"spec": b"{"}, {"status": b"\xff"}, {"member": b"NaN"}, {"named": b"1"}], ids=str)
async def test_what_is_no_json_is_refused(broken: dict[str, bytes]) -> None:
    """Over gRPC no codec sees what is sent, and all who list would trip over it."""
    (kind,) = (each for each in STORED_KINDS if each.name == "LimitRange")
    obj = StoredObject(api_version=kind.api_version, kind=kind.name, metadata=ObjectMeta(name="one"))
    for where, text in broken.items():
        if where in ("member", "named"):
            obj.members["metadata" if where == "named" else "x"].json = text
        else:
            getattr(obj, where).json = text
    async with serving(settings=IGNORING) as gateway:
        with pytest.raises(InvalidError):
            await gateway.api.write(Create(Encoded.of(obj)))


async def test_what_is_no_protobuf_is_refused() -> None:
    async with serving(settings=IGNORING) as gateway:
        headers = {"Content-Type": PROTOBUF}
        got = await gateway.ask("POST", JOBS, wrapped("batch/v1", "Job", b"\xff\xff"), headers=headers)
        assert (got.status, got.json["message"]) == (400, "the body is not the protobuf of a Job")


@pytest.mark.parametrize("kind", sorted(UNCALLED_KINDS, key=str), ids=str)
async def test_what_would_be_called_is_refused_unless_it_is_to_be_ignored(kind: Kind) -> None:
    async with serving() as gateway:
        refused = await gateway.ask("POST", path_of(kind), made(kind))
        assert (refused.status, refused.json["reason"]) == (403, "Forbidden")
        assert f'{kind.resource} "one" is forbidden: Rollplane calls no webhooks' in refused.json["message"]
        assert "--ignore-webhooks" in refused.json["message"]
    async with serving(settings=IGNORING) as gateway:
        kept = await gateway.ask("POST", path_of(kind), made(kind))
        assert kept.status == 201
        assert f"Rollplane does not call this {kind.name}" in kept.warnings[0]
