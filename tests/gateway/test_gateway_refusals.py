"""Parameters and bodies that cannot be, in the words of a kube-apiserver."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.serving import CONFIG_MAPS, config_map, serving

JSON = {"Content-Type": "application/json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"

DRY_RUNS: dict[str, tuple[str, str, dict[str, str], Any]] = {
    "CreateOptions": ("POST", CONFIG_MAPS, JSON, config_map("b")),
    "UpdateOptions": ("PUT", f"{CONFIG_MAPS}/a", JSON, config_map("a")),
    "PatchOptions": ("PATCH", f"{CONFIG_MAPS}/a", MERGE, {}),
    "DeleteOptions": ("DELETE", f"{CONFIG_MAPS}/a", JSON, None),
}


@pytest.mark.parametrize("kind", DRY_RUNS)
async def test_options_are_refused_by_their_kind(kind: str) -> None:
    method, path, headers, body = DRY_RUNS[kind]
    async with serving() as gateway:
        await gateway.ask("POST", CONFIG_MAPS, config_map("a"))
        got = await gateway.ask(method, f"{path}?dryRun=foo", body, headers=headers)
        told = f'{kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: "foo": supported values: "All"'
        assert (got.status, got.json["message"]) == (422, told)


LISTS = {
    "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1": (
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"
    ),
    "watch=1&sendInitialEvents=true": (
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    ),
    "watch=1&resourceVersionMatch=NotOlderThan": (
        "resourceVersionMatch: Forbidden: "
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    ),
}


@pytest.mark.parametrize(("query", "told"), LISTS.items())
async def test_lists_and_watches_are_refused_alike(query: str, told: str) -> None:
    async with serving() as gateway:
        got = await gateway.get(f"{CONFIG_MAPS}?{query}")
        assert (got.status, got.json["message"]) == (422, f'ListOptions.meta.k8s.io "" is invalid: {told}')


@pytest.mark.parametrize(
    ("text", "why"),
    {
        "abc": "invalid syntax",
        "-1": "invalid syntax",
        "9" * 19: "value out of range",
        "9" * 30: "value out of range",
    }.items(),
)
async def test_a_version_that_is_none_is_refused_in_one_way(text: str, why: str) -> None:
    told = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {why}'
    async with serving() as gateway:
        await gateway.ask("POST", CONFIG_MAPS, config_map("a"))
        for path in (f"{CONFIG_MAPS}?", f"{CONFIG_MAPS}?watch=1&", f"{CONFIG_MAPS}/a?"):
            got = await gateway.get(f"{path}resourceVersion={text}")
            assert (got.status, got.json["message"]) == (400, told)
        limit = await gateway.get(f"{CONFIG_MAPS}?limit={'9' * 19}")
        assert limit.json["message"].endswith("value out of range")


LONG = "x" * 50_000


@pytest.mark.parametrize(
    "query",
    [
        f"labelSelector={LONG}+in+(b",
        f"labelSelector=a+in+({LONG}",
        f"labelSelector=a+{LONG}",
        f"fieldSelector={LONG}",
        f"fieldSelector={LONG}=a",
        f"limit={LONG}",
        f"resourceVersion={LONG}",
        f"resourceVersion=1&resourceVersionMatch={LONG}",
    ],
)
async def test_what_is_long_is_not_echoed(query: str) -> None:
    async with serving() as gateway:
        got = await gateway.get(f"{CONFIG_MAPS}?{query}")
        assert got.status in (400, 422)
        assert len(got.body) < 1500


BODIES: dict[bytes, str] = {
    b'{"metadata":}': "the body is not JSON at line 1, column 13",
    b'{"metadata": {"name": "\xff"}}': "the body is not UTF-8 at byte 24",
    b'{"metadata": {"name": true}}': "metadata.name: expected string, got boolean true",
}


@pytest.mark.parametrize(("body", "told"), BODIES.items(), ids=["JSON", "UTF-8", "a type"])
async def test_what_is_wrong_with_a_body_is_told_in_words_of_json(body: bytes, told: str) -> None:
    async with serving() as gateway:
        got = await gateway.ask("POST", CONFIG_MAPS, body, headers=JSON)
        assert got.status == 400
        assert told in got.json["message"]


async def test_the_seconds_of_a_token_are_refused_as_all_else() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", ACCOUNT.rpartition("/")[0], {"metadata": {"name": "default"}})
        got = await gateway.ask("POST", f"{ACCOUNT}/token", {"spec": {"expirationSeconds": 1}})
        assert "spec.expirationSeconds: Invalid value: 1: may not specify" in got.json["message"]
