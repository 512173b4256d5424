"""Lists over REST: pages, versions and selectors."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_apiserver.core.settings import CoreSettings
from tests.gateway.serving import CONFIG_MAPS, PODS, Served, config_map, serving

QUICK = CoreSettings(read_timeout_seconds=0.05)
SMALL = CoreSettings(page_bytes=600)


async def make(gateway: Served, *names: str) -> list[dict[str, Any]]:
    return [(await gateway.ask("POST", CONFIG_MAPS, config_map(name))).json for name in names]


def names_of(got: Any) -> list[str]:
    return [item["metadata"]["name"] for item in got.json["items"]]


async def test_pages_follow_each_other_at_one_version() -> None:
    async with serving() as gateway:
        await make(gateway, "a", "b", "c")
        first = await gateway.get(f"{CONFIG_MAPS}?limit=2")
        assert (names_of(first), first.json["metadata"]["remainingItemCount"]) == (["a", "b"], 1)
        await make(gateway, "d")
        second = await gateway.get(f"{CONFIG_MAPS}?limit=2&continue={first.json['metadata']['continue']}")
        assert names_of(second) == ["c"]
        assert second.json["metadata"] == {"resourceVersion": first.json["metadata"]["resourceVersion"]}


async def test_a_list_without_a_limit_is_whole_however_large() -> None:
    async with serving(settings=SMALL) as gateway:
        await make(gateway, *map(str, range(9)))
        got = await gateway.get(CONFIG_MAPS)
        assert len(names_of(got)) == 9
        assert "continue" not in got.json["metadata"]


async def test_an_exact_version_is_what_was_then() -> None:
    async with serving() as gateway:
        (made,) = await make(gateway, "a")
        version = made["metadata"]["resourceVersion"]
        await make(gateway, "b")
        for query in ("resourceVersionMatch=Exact", "limit=10"):
            got = await gateway.get(f"{CONFIG_MAPS}?resourceVersion={version}&{query}")
            assert (names_of(got), got.json["metadata"]["resourceVersion"]) == (["a"], version)
        for query in ("", "&resourceVersionMatch=NotOlderThan"):
            assert names_of(await gateway.get(f"{CONFIG_MAPS}?resourceVersion={version}{query}")) == ["a", "b"]
        assert names_of(await gateway.get(f"{CONFIG_MAPS}?resourceVersion=0&limit=500")) == ["a", "b"]


@pytest.mark.parametrize("path", [f"{CONFIG_MAPS}/a", CONFIG_MAPS], ids=["get", "list"])
async def test_a_version_of_the_future_is_waited_for_and_then_too_large(path: str) -> None:
    async with serving(settings=QUICK) as gateway:
        (made,) = await make(gateway, "a")
        version = int(made["metadata"]["resourceVersion"])
        assert (await gateway.get(f"{path}?resourceVersion={version}")).status == 200
        got = await gateway.get(f"{path}?resourceVersion={version + 1000}")
        assert (got.status, got.json["reason"]) == (504, "Timeout")
        assert (
            got.json["details"]["causes"]
            == [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version", "field": ""}]
            or got.json["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
        )
        assert got.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("resourceVersionMatch=Exact", 422, "is forbidden unless resourceVersion is provided"),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422, 'is forbidden for resourceVersion "0"'),
        ("resourceVersion=5&resourceVersionMatch=About", 422, 'Unsupported value: "About"'),
        ("resourceVersion=x", 400, 'parsing "x": invalid syntax'),
        ("resourceVersion=5&continue=abc", 400, "not allowed when using continue"),
        ("continue=abc", 400, "continue"),
        ("limit=x", 400, "strconv.ParseInt"),
        ("labelSelector=a%20b%20c", 400, ""),
        ("fieldSelector=spec.nothing%3D1", 400, "field label not supported"),
    ],
)
async def test_what_does_not_go_together_is_refused(query: str, code: int, words: str) -> None:
    async with serving() as gateway:
        got = await gateway.get(f"{CONFIG_MAPS}?{query}")
        assert (got.status, got.json["code"]) == (code, code)
        assert words in got.json["message"]


async def test_selectors_as_clients_write_them() -> None:
    async with serving() as gateway:
        for name, tier in (("a", "web"), ("b", "db")):
            labelled = config_map(name)
            labelled["metadata"]["labels"] = {"tier": tier}
            await gateway.ask("POST", CONFIG_MAPS, labelled)
        for query, expected in {
            "labelSelector=tier+in+(web)": ["a"],
            "labelSelector=tier%21%3Dweb": ["b"],
            "fieldSelector=metadata.name%3Da%2Cmetadata.name%3Da": ["a"],
            "fieldSelector=metadata.namespace%3D": [],
            "labelSelector=": ["a", "b"],
        }.items():
            assert names_of(await gateway.get(f"{CONFIG_MAPS}?{query}")) == expected
        assert names_of(await gateway.get("/api/v1/configmaps?labelSelector=tier")) == ["a", "b"]
        assert (await gateway.get(f"{PODS}?fieldSelector=spec.nodeName%3Dn%2Cstatus.phase%21%3DFailed")).status == 200


@pytest.mark.parametrize("asked", ["", "&watch=1"], ids=["list", "watch"])
async def test_a_selector_of_too_many_terms_is_refused_with_the_limit(asked: str) -> None:
    terms = ",".join(["metadata.name!=x"] * 2_001)
    async with serving() as gateway:
        got = await gateway.get(f"{CONFIG_MAPS}?fieldSelector={terms}{asked}")
        assert got.status == 400
        assert "a field selector of 2001 terms, at most 2000 are taken" in got.json["message"]
