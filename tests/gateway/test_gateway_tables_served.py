"""Tables over HTTP: asked for as kubectl asks, beside what else is in Accept."""

from __future__ import annotations

import pytest

from tests.gateway.recorded import recorded
from tests.gateway.serving import DEPLOYMENTS, Got, Served, deployment, serving

KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
OLDER = "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"


async def table(served: Served, path: str, accept: str = KUBECTL) -> Got:
    return await served.get(path, accept=accept)


async def test_a_list_and_an_object_are_tables() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        listed, single = await table(served, DEPLOYMENTS), await table(served, f"{DEPLOYMENTS}/web")
    assert listed.content_type == single.content_type == "application/json"
    assert listed.json["kind"] == single.json["kind"] == "Table"
    assert listed.json["rows"] == single.json["rows"]
    row = single.json["rows"][0]
    assert row["cells"][:2] == ["web", "0/3"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert single.json["metadata"]["resourceVersion"] == row["object"]["metadata"]["resourceVersion"]


async def test_pages_of_a_table_go_on() -> None:
    async with serving() as served:
        for name in ("a", "b", "c"):
            await served.ask("POST", DEPLOYMENTS, deployment(name))
        first = (await table(served, f"{DEPLOYMENTS}?limit=2")).json
        rest = (await table(served, f"{DEPLOYMENTS}?limit=2&continue={first['metadata']['continue']}")).json
    assert first["metadata"]["remainingItemCount"] == 1
    assert [row["cells"][0] for row in first["rows"] + rest["rows"]] == ["a", "b", "c"]


@pytest.mark.parametrize(("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "Deployment")])
async def test_as_much_of_the_object_as_is_asked_for(include: str, kind: str) -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        (row,) = (await table(served, f"{DEPLOYMENTS}?includeObject={include}")).json["rows"]
    assert row["object"]["kind"] == kind


async def test_nothing_of_the_object_when_none_is_asked_for() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        (row,) = (await table(served, f"{DEPLOYMENTS}?includeObject=None")).json["rows"]
    assert row["object"] is None


async def test_an_older_client_gets_the_older_version() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        got = (await table(served, DEPLOYMENTS, OLDER)).json
    assert got["apiVersion"] == got["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"


async def test_the_scale_is_a_table_too() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        got = (await table(served, f"{DEPLOYMENTS}/web/scale")).json
    assert [column["name"] for column in got["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert got["rows"][0]["cells"][:3] == ["web", 3, 0]


async def test_what_is_not_there_is_told_as_the_record_tells_it() -> None:
    path = f"{DEPLOYMENTS}/nosuch"
    async with serving() as served:
        got = await table(served, path)
    assert (got.status, got.json) == (recorded()[path]["code"], recorded()[path]["body"])


async def test_an_unknown_word_for_the_object_is_refused() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        got = await table(served, f"{DEPLOYMENTS}?includeObject=All")
    assert (got.status, got.json["reason"]) == (400, "BadRequest")
