"""kr8s: everything in pages of 100, patches by merge, waits by watch."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.manifests import deployment

kr8s = pytest.importorskip("kr8s", reason="the library kr8s is not installed")
library = pytest.importorskip("kr8s.asyncio", reason="the library kr8s is not installed")
kinds = pytest.importorskip("kr8s.asyncio.objects", reason="the library kr8s is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported")
SECONDS = 20


@pytest.fixture
async def api(place: Place) -> AsyncIterator[Any]:
    api = await library.api(kubeconfig=str(place.kubeconfig), namespace=place.namespace)
    yield api
    await api._session.aclose()  # it offers nothing to close itself with


async def made(api: Any, replicas: int = 3) -> Any:
    """A Deployment that is available."""
    body = yaml.safe_load(deployment("web", replicas=replicas))
    web = await kinds.Deployment(body, namespace=api.namespace, api=api)
    await web.create()
    await web.wait("condition=Available", timeout=SECONDS)
    return web


async def test_more_pods_than_a_page_has(api: Any) -> None:
    web = await made(api)
    await web.scale(105)
    await web.wait("jsonpath='{.status.readyReplicas}'=105", timeout=SECONDS)
    assert len([pod async for pod in api.get("pods")]) == 105
    assert len(await web.pods()) == 105


async def test_patches(api: Any) -> None:
    web = await made(api, replicas=1)
    await web.patch({"metadata": {"labels": {"tier": "front"}}})
    await web.patch([{"op": "add", "path": "/metadata/labels/team", "value": "shop"}], type="json")
    assert (web.labels.tier, web.labels.team) == ("front", "shop")
    await web.annotate({"note": "x"})
    await web.label(tier=None)
    await web.refresh()
    assert (web.annotations.note, "tier" in web.labels) == ("x", False)
    assert [each.name async for each in api.get("deployments", label_selector="team=shop")] == ["web"]


async def test_watch_and_delete(api: Any) -> None:
    web = await made(api, replicas=1)
    events = api.watch("deployments", field_selector="metadata.name=web")
    assert (await anext(events))[0] == "ADDED"
    await web.delete()
    types = [type_ async for type_, _ in until_deleted(events)]
    assert types[-1] == "DELETED"
    assert not await web.exists()


async def until_deleted(events: Any) -> Any:
    async for type_, found in events:
        yield type_, found
        if type_ == "DELETED":
            return


async def test_logs(api: Any) -> None:
    web = await made(api, replicas=1)
    pod, *_ = await web.pods()
    await pod.wait("condition=Ready", timeout=SECONDS)
    assert [line async for line in pod.logs()]


async def test_what_is_there(api: Any) -> None:
    assert (await api.version())["gitVersion"].endswith("+rollplane")
    plural = {each["name"] for each in await api.api_resources()}
    assert plural >= {"pods", "deployments", "leases"}
    nodes = [node async for node in api.get("nodes")]
    assert all(node.status.nodeInfo.kubeletVersion for node in nodes)
    with pytest.raises(kr8s.NotFoundError):
        await kinds.ConfigMap.get("none", namespace=api.namespace, api=api)


async def test_a_server_refuses(api: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "Not_A_Name"}}
    with pytest.raises(kr8s.ServerError, match="Not_A_Name"):
        await (await kinds.ConfigMap(body, namespace=api.namespace, api=api)).create()
