"""The verbs of stored objects over real sockets."""

from __future__ import annotations

from tests.gateway.serving import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, serving


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
        for path in ("/", "/nope", "/apis/nope/v1/things", "/api/v1/namespaces/default/pods/p/nope"):
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


async def test_a_collection_is_deleted() -> None:
    async with serving() as gateway:
        for name in ("a", "b"):
            await gateway.ask("POST", CONFIG_MAPS, config_map(name))
        assert (await gateway.ask("DELETE", CONFIG_MAPS)).json["status"] == "Success"
        left = await gateway.get(CONFIG_MAPS)
        assert left.json["items"] == []


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
