"""The verbs of stored objects over real sockets."""

from __future__ import annotations

from typing import Any, cast

from rollplane.core.v1 import ConfigMap
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Api, Create, Delete, ListQuery, Page
from rollplane_machinery.kinds import Encoded
from tests.gateway.serving import CONFIG_MAPS, DEPLOYMENTS, Got, config_map, deployment, serving


async def test_the_life_of_an_object() -> None:
    async with serving() as gateway:
        created = await gateway.ask("POST", DEPLOYMENTS, deployment())
        assert created.status == 201
        assert created.json["metadata"]["namespace"] == "default"
        got = await gateway.get(f"{DEPLOYMENTS}/web")
        assert got.json == created.json
        listed = await gateway.get(f"{DEPLOYMENTS}/")
        assert listed.json["kind"] == "DeploymentList"
        assert [item["metadata"]["name"] for item in listed.json["items"]] == ["web"]
        changed = {**created.json, "spec": {**created.json["spec"], "replicas": 5}}
        updated = await gateway.ask("PUT", f"{DEPLOYMENTS}/web", changed)
        assert updated.json["spec"]["replicas"] == 5
        patched = await gateway.ask(
            "PATCH",
            f"{DEPLOYMENTS}/web",
            b'{"spec": {"replicas": 1}}',
            headers={"Content-Type": "application/strategic-merge-patch+json"},
        )
        assert patched.json["spec"]["replicas"] == 1
        gone = await gateway.ask("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Background"})
        assert gone.json["status"] == "Success"
        assert gone.json["details"]["uid"] == created.json["metadata"]["uid"]
        missing = await gateway.get(f"{DEPLOYMENTS}/web")
        assert (missing.status, missing.json["reason"]) == (404, "NotFound")
        assert missing.json["details"] == {"name": "web", "group": "apps", "kind": "deployments"}


async def test_what_is_not_served_is_a_status() -> None:
    async with serving() as gateway:
        for path in ("/nope", "/apis/nope/v1/things", "/api/v1/namespaces/default/pods/p/nope"):
            got = await gateway.get(path)
            assert (got.status, got.json["kind"], got.json["reason"]) == (404, "Status", "NotFound")
        got = await gateway.ask("POST", "/api/v1/pods", {})
        assert (got.status, got.json["reason"]) == (405, "MethodNotAllowed")


async def test_scale_reads_and_writes() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        scale = await gateway.get(f"{DEPLOYMENTS}/web/scale")
        assert scale.json["status"]["selector"] == "app=web"
        put = await gateway.ask("PUT", f"{DEPLOYMENTS}/web/scale", {**scale.json, "spec": {"replicas": 7}})
        assert put.json["spec"]["replicas"] == 7
        patched = await gateway.ask(
            "PATCH",
            f"{DEPLOYMENTS}/web/scale",
            b'{"spec": {"replicas": 2}}',
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert patched.json["spec"]["replicas"] == 2


class Overtaken:
    """An Api at which somebody else deletes ``a`` and makes ``b`` anew as soon as they have been listed."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)

    async def list(self, query: ListQuery) -> Page:
        page = await self._api.list(query)
        for found in page.objects[:2]:
            await self._api.write(Delete(found.key))
        if page.objects:
            await self._api.write(Create(Encoded.of(ConfigMap(metadata=ObjectMeta(name="b", namespace="default")))))
        return page


def names(got: Got) -> list[str]:
    return [item["metadata"]["name"] for item in got.json["items"]]


async def test_the_deletion_of_a_collection_tells_what_was_deleted() -> None:
    async with serving() as gateway:
        for name in ("a", "b"):
            await gateway.ask("POST", CONFIG_MAPS, config_map(name))
        for dry_run in ("?dryRun=All", ""):
            got = await gateway.ask("DELETE", CONFIG_MAPS + dry_run)
            assert (got.status, got.json["kind"], names(got)) == (200, "ConfigMapList", ["a", "b"])
        assert names(await gateway.get(CONFIG_MAPS)) == []


async def test_what_went_or_was_replaced_meanwhile_is_not_told_as_deleted() -> None:
    async with serving(through=lambda api: cast("Api", Overtaken(api))) as gateway:
        for name in ("a", "b", "c"):
            await gateway.ask("POST", CONFIG_MAPS, config_map(name))
        assert names(await gateway.ask("DELETE", CONFIG_MAPS)) == ["c"]
        assert (await gateway.get(f"{CONFIG_MAPS}/b")).status == 200


async def test_a_namespace_goes_with_its_last_finalizer() -> None:
    """What people do to one that will not go: ``kubectl replace --raw …/finalize``."""
    async with serving() as gateway:
        path = "/api/v1/namespaces/stuck"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stuck"}}
        await gateway.ask("POST", "/api/v1/namespaces", body)
        going = await gateway.ask("DELETE", path)
        assert going.json["status"]["phase"] == "Terminating"
        stale = {**body, "metadata": {"name": "stuck", "resourceVersion": "1"}, "spec": {"finalizers": []}}
        assert (await gateway.ask("PUT", f"{path}/finalize", stale)).status == 409
        other = await gateway.ask("PUT", f"{path}/finalize", {**body, "metadata": {"name": "other"}})
        assert (other.status, other.json["reason"]) == (400, "BadRequest")
        gone = await gateway.ask("PUT", f"{path}/finalize", {**going.json, "spec": {"finalizers": []}})
        assert (gone.status, gone.json["metadata"]["name"]) == (200, "stuck")
        assert (await gateway.get(path)).status == 404
