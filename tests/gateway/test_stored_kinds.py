"""Kinds that are kept as JSON, over REST and over the Api: every one of them, from its row in the registry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rollplane.meta.v1 import ObjectMeta
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import Create, Key, ListQuery
from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.kinds import ACTING_KINDS, PRIORITY_CLASS, STORED_KINDS, Encoded, Kind
from tests.gateway.serving import Served, serving

_kinds = pytest.mark.parametrize("kind", [kind for kind in STORED_KINDS if kind is not PRIORITY_CLASS], ids=str)
"""Of a PriorityClass the value stays; its tests are those of the rules."""
CONTENT = {"spec": {"z": [{"b": 1, "a": 1.5}], "a": {"deep": None}}, "webhooks": ["w"], "value": 7}
PROTOBUF = "application/vnd.kubernetes.protobuf"


def path_of(kind: Kind) -> str:
    base = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{base}/namespaces/default/{kind.plural}" if kind.namespaced else f"{base}/{kind.plural}"


def made(kind: Kind, name: str = "one", **more: Any) -> dict[str, Any]:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}, **CONTENT, **more}


async def patch(gateway: Served, path: str, body: object, how: str) -> Any:
    headers = {"Content-Type": f"application/{how}"}
    got = await gateway.ask("PATCH", path, json.dumps(body).encode(), headers=headers)
    assert got.status in (200, 201), got.body
    return got.json


def content(told: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("apiVersion", "kind", "metadata", "status")}


@_kinds
async def test_a_life_over_rest(kind: Kind) -> None:
    async with serving() as gateway:
        path = path_of(kind)
        created = await gateway.ask("POST", path, made(kind))
        assert created.status == 201, created.body
        assert content(created.json) == CONTENT
        assert ["but does not act on them" in told for told in created.warnings] == [True] * (kind not in ACTING_KINDS)
        assert created.json["metadata"].get("generation", 0) == (1 if kind.has_generation else 0)
        again = await gateway.ask("POST", path, made(kind))
        assert (again.status, again.json["reason"]) == (409, "AlreadyExists")

        listed = await gateway.get(path, Accept=f"{PROTOBUF},application/json")
        assert listed.content_type == "application/json"
        assert listed.json["kind"] == f"{kind.name}List"
        assert [content(item) for item in listed.json["items"]] == [CONTENT]
        one = await gateway.get(f"{path}/one", Accept=f"{PROTOBUF},application/json")
        assert (one.content_type, one.json) == ("application/json", created.json)

        merged = await patch(gateway, f"{path}/one", {"spec": {"a": {"deep": 2}}, "value": None}, "merge-patch+json")
        assert merged["spec"]["a"] == {"deep": 2}
        assert "value" not in merged
        assert merged["metadata"].get("generation", 0) == (2 if kind.has_generation else 0)
        swapped = [{"op": "replace", "path": "/webhooks/0", "value": "x"}]
        assert (await patch(gateway, f"{path}/one", swapped, "json-patch+json"))["webhooks"] == ["x"]
        atomic = await patch(gateway, f"{path}/one", {"spec": {"z": [1]}}, "strategic-merge-patch+json")
        assert atomic["spec"]["z"] == [1]

        table = await gateway.get(path, Accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        assert next(column["name"] for column in table.json["columnDefinitions"]) == "Name"
        assert table.json["rows"][0]["cells"][0] == "one"
        assert (await gateway.ask("DELETE", f"{path}/one")).status == 200
        assert (await gateway.get(f"{path}/one")).status == 404


@_kinds
async def test_the_status_is_written_by_itself(kind: Kind) -> None:
    async with serving() as gateway:
        path = path_of(kind)
        created = await gateway.ask("POST", path, made(kind, status={"phase": "Sent"}))
        assert ("status" in created.json) is not kind.has_status
        status = f"{path}/one/status"
        if not kind.has_status:
            assert (await gateway.get(status)).status == 404
            return
        told = await patch(gateway, status, {"status": {"phase": "New"}, "spec": {"z": []}}, "merge-patch+json")
        assert (told["status"], content(told)) == ({"phase": "New"}, CONTENT)
        kept = await patch(gateway, f"{path}/one", {"status": {"phase": "Mine"}, "value": 8}, "merge-patch+json")
        assert (kept["status"], kept["value"]) == ({"phase": "New"}, 8)


@_kinds
async def test_server_side_apply_deduces_the_schema(kind: Kind) -> None:
    async with serving() as gateway:
        path, how = f"{path_of(kind)}/one", "apply-patch+yaml"
        first = await patch(gateway, f"{path}?fieldManager=a", made(kind), how)
        assert content(first) == CONTENT
        other = {**made(kind), "spec": {"more": 1}}
        del other["webhooks"], other["value"]
        both = await patch(gateway, f"{path}?fieldManager=b", other, how)
        assert both["spec"] == {**CONTENT["spec"], "more": 1}  # type: ignore[dict-item]
        less = made(kind, spec={"a": {"deep": None}})
        left = await patch(gateway, f"{path}?fieldManager=a", less, how)
        assert left["spec"] == {"a": {"deep": None}, "more": 1}
        contested = {**other, "spec": {"more": 2}}
        got = await gateway.ask(
            "PATCH",
            f"{path}?fieldManager=a",
            json.dumps(contested).encode(),
            headers={"Content-Type": f"application/{how}"},
        )
        assert (got.status, got.json["reason"]) == (409, "Conflict")
        assert [cause["field"] for cause in got.json["details"]["causes"]] == [".spec.more"]


async def test_a_client_that_knows_lists_tells_how_they_merge() -> None:
    """What kubectl sends for a Job whose template it changes: its keys are in the orders."""
    async with serving() as gateway:
        (kind,) = (each for each in STORED_KINDS if each.name == "Job")
        containers = [{"name": "a", "image": "a:1", "args": ["x"]}, {"name": "b", "image": "b:1"}]
        await gateway.ask("POST", path_of(kind), made(kind, spec={"containers": containers, "words": ["p", "q"]}))
        change = {
            "spec": {
                "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                "containers": [{"name": "a", "image": "a:2"}],
                "$setElementOrder/words": ["q", "r"],
                "$deleteFromPrimitiveList/words": ["p"],
                "words": ["r"],
            }
        }
        told = await patch(gateway, f"{path_of(kind)}/one", change, "strategic-merge-patch+json")
        assert told["spec"] == {
            "containers": [{"name": "b", "image": "b:1"}, {"args": ["x"], "name": "a", "image": "a:2"}],
            "words": ["q", "r"],
        }


@_kinds
async def test_over_the_api_they_travel_as_one_message(kind: Kind) -> None:
    async with serving() as gateway:
        sent = Encoded.of(from_json(made(kind)))
        assert sent.to_any().type_url == "type.googleapis.com/rollplane.stored.v1.StoredObject"
        assert Encoded.from_any(sent.to_any()).kind is kind
        await gateway.api.write(Create(sent))
        (stored,) = (await gateway.api.list(ListQuery(kind, "default" if kind.namespaced else ""))).objects
        assert stored.key == Key(kind, "default" if kind.namespaced else "", "one")
        assert content(to_json(stored.parse())) == CONTENT


@_kinds
async def test_metadata_is_strict(kind: Kind) -> None:
    async with serving() as gateway:
        wrong = made(kind, metadata={"name": "one", "labels": {"a": 1}})
        assert (await gateway.ask("POST", path_of(kind), wrong)).status == 400
        unknown = made(kind, metadata={"name": "one", "nope": 1})
        got = await gateway.ask("POST", f"{path_of(kind)}?fieldValidation=Strict", unknown)
        assert (got.status, "metadata.nope" in got.json["message"]) == (400, True)
        named = made(kind, metadata={"name": "a/b"})
        assert (await gateway.ask("POST", path_of(kind), named)).status in (400, 422)


async def test_roles_are_called_what_fits_into_a_path() -> None:
    async with serving() as gateway:
        for kind in STORED_KINDS:
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
    async with serving() as gateway:
        with pytest.raises(InvalidError):
            await gateway.api.write(Create(Encoded.of(obj)))


async def test_protobuf_of_upstreams_own_is_refused_clearly() -> None:
    async with serving() as gateway:
        path = "/apis/batch/v1/namespaces/default/jobs"
        got = await gateway.ask("POST", path, b"k8s\0", headers={"Content-Type": PROTOBUF})
        assert (got.status, got.json["reason"]) == (415, "UnsupportedMediaType")
        assert "send JSON or YAML" in got.json["message"]
