"""Bodies that say another version than the one they are read as, as clients of several ages do."""

from __future__ import annotations

import pytest

from tests.gateway.serving import DEPLOYMENTS, PODS, deployment, serving

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "one"},
    "spec": {"containers": [{"name": "a", "image": "a:1"}]},
}


@pytest.mark.parametrize("version", ["policy/v1", "policy/v1beta1"])
async def test_an_eviction_of_either_version(version: str) -> None:
    eviction = {"apiVersion": version, "kind": "Eviction", "metadata": {"name": "one"}}
    async with serving() as served:
        await served.ask("POST", PODS, POD)
        got = await served.ask("POST", f"{PODS}/one/eviction", eviction)
        left = await served.get(f"{PODS}/one")
    assert (got.status, got.json["status"], left.status) == (201, "Success", 404)


@pytest.mark.parametrize("version", ["v1", "meta.k8s.io/v1", "apps/v1"])
async def test_options_of_a_deletion_in_the_version_of_what_is_deleted(version: str) -> None:
    options = {"apiVersion": version, "kind": "DeleteOptions", "dryRun": ["All"]}
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        got = await served.ask("DELETE", f"{DEPLOYMENTS}/web", options)
        left = await served.get(f"{DEPLOYMENTS}/web")
    assert (got.status, left.status) == (200, 200)


async def test_another_groups_options_are_refused() -> None:
    async with serving() as served:
        await served.ask("POST", DEPLOYMENTS, deployment())
        got = await served.ask("DELETE", f"{DEPLOYMENTS}/web", {"apiVersion": "batch/v1", "kind": "DeleteOptions"})
    assert (got.status, got.json["reason"]) == (400, "BadRequest")
