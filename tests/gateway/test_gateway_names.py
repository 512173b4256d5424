"""What is sent below an object's path must mean that object."""

from __future__ import annotations

import pytest

from tests.gateway.serving import DEPLOYMENTS, PODS, deployment, serving

POD = {"metadata": {"name": "one"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
NODE = {"target": {"kind": "Node", "name": "n"}}
NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


@pytest.mark.parametrize(("part", "kind"), [("eviction", "Eviction"), ("binding", "Binding")])
@pytest.mark.parametrize("name", ["two", ""])
async def test_what_is_posted_to_a_pod_names_it(part: str, kind: str, name: str) -> None:
    async with serving() as gateway:
        await gateway.ask("POST", PODS, POD)
        body = {"metadata": {"name": name}, **(NODE if part == "binding" else {})}
        got = await gateway.ask("POST", f"{PODS}/one/{part}", body)
        assert (got.status, got.json["message"]) == (400, f"name in URL does not match name in {kind} object")
        elsewhere = {**body, "metadata": {"name": "one", "namespace": "other"}}
        got = await gateway.ask("POST", f"{PODS}/one/{part}", elsewhere)
        assert (got.status, got.json["message"]) == (400, NAMESPACE)
        assert "nodeName" not in (await gateway.get(f"{PODS}/one")).json["spec"]


async def test_a_scale_names_what_it_scales() -> None:
    async with serving() as gateway:
        await gateway.ask("POST", DEPLOYMENTS, deployment())
        path = f"{DEPLOYMENTS}/web/scale"
        other = await gateway.ask("PUT", path, {"metadata": {"name": "other"}, "spec": {"replicas": 1}})
        assert other.json["message"] == "the name of the object (other) does not match the name on the URL (web)"
        nameless = await gateway.ask("PUT", path, {"spec": {"replicas": 1}})
        assert (nameless.status, "name must be provided" in nameless.json["message"]) == (400, True)
        elsewhere = {"metadata": {"name": "web", "namespace": "other"}, "spec": {"replicas": 1}}
        assert (await gateway.ask("PUT", path, elsewhere)).json["message"] == NAMESPACE
        assert (await gateway.get(path)).json["spec"]["replicas"] == 3
