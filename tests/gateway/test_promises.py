"""What discovery names is served, and what it does not name is refused: verb by verb, of everything there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rollplane_machinery.releases import LATEST, RECORDED, Release
from rollplane_machinery.served import Resource, served
from tests.gateway.serving import Got, Served, serving

ON_COLLECTIONS = {"list": "GET", "create": "POST", "deletecollection": "DELETE"}
ON_OBJECTS = {"get": "GET", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
ON_SUBRESOURCES = {"get": "GET", "create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
MERGE = {"Content-Type": "application/merge-patch+json"}
TOLD_ELSEWHERE = ("log",)
NOBODY = "nosuch"
NAMESPACE = "empty"


def asked(resource: Resource) -> Iterator[tuple[str, str, bool]]:
    """Each method at each path of ``resource``, and whether it is promised."""
    root = resource.group_version.path
    collection = (
        f"{root}/namespaces/{NAMESPACE}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"
    )
    one = f"{collection}/{NOBODY}"
    for verb, method in ON_COLLECTIONS.items():
        yield method, collection, verb in resource.verbs
    for verb, method in ON_OBJECTS.items():
        yield method, one, verb in resource.verbs
    for each in (each for each in resource.subresources if each.name not in TOLD_ELSEWHERE):
        for verb, method in ON_SUBRESOURCES.items():
            yield method, f"{one}/{each.name}", verb in each.verbs


def is_served(got: Got) -> bool:
    """A missing object is served; a missing resource has no name in its details."""
    if got.status == 404:
        return bool(got.json.get("details", {}).get("name"))
    return got.status != 405


async def ask(gateway: Served, method: str, path: str) -> Got:
    body = None if method in ("GET", "DELETE") else b"{}"
    return await gateway.ask(
        method, path, body, headers=MERGE if method == "PATCH" else {"Content-Type": "application/json"}
    )


@pytest.mark.parametrize("release", [LATEST, RECORDED], ids=lambda each: each.name)
async def test_every_verb(release: Release) -> None:
    broken = []
    async with serving(release=release) as gateway:
        for resource in served(release).resources:
            for method, path, promised in asked(resource):
                got = await ask(gateway, method, path)
                if is_served(got) is not promised or got.status >= 500:
                    broken.append((method, path, promised, got.status, got.body))
    assert broken == []


async def test_every_watch() -> None:
    async with serving() as gateway:
        for resource in served(LATEST).resources:
            got = await gateway.get(f"{resource.group_version.path}/{resource.plural}?watch=true&resourceVersion=x")
            assert (got.status == 400) is ("watch" in resource.verbs), (resource.plural, got)
