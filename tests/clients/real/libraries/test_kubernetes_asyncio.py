"""The official client's sibling for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.manifests import deployment

library = pytest.importorskip("kubernetes_asyncio", reason="the library kubernetes-asyncio is not installed")
dynamic = pytest.importorskip("kubernetes_asyncio.dynamic", reason="the library kubernetes-asyncio is not installed")


@pytest.fixture
async def api(place: Place) -> AsyncIterator[Any]:
    async with await library.config.new_client_from_config(str(place.kubeconfig)) as client:
        yield client


async def rolled_out(apps: Any, place: Place) -> Any:
    async with library.watch.Watch() as watch:
        async for event in watch.stream(apps.list_namespaced_deployment, place.namespace, timeout_seconds=20):
            found = event["object"]
            wanted = (found.metadata.generation, found.spec.replicas, found.spec.replicas)
            status = found.status
            if (status.observed_generation, status.updated_replicas, status.available_replicas) == wanted:
                return found
    raise AssertionError("the watch has not seen the end of the rollout")


async def test_a_rollout(api: Any, place: Place) -> None:
    apps = library.client.AppsV1Api(api)
    await apps.create_namespaced_deployment(place.namespace, yaml.safe_load(deployment("web")))
    await rolled_out(apps, place)
    containers = [{"name": "nginx", "image": "nginx:1.9.1"}]
    template = {"spec": {"containers": containers}}
    await apps.patch_namespaced_deployment("web", place.namespace, {"spec": {"template": template}})
    found = await rolled_out(apps, place)
    assert found.spec.template.spec.containers[0].ports[0].container_port == 80
    assert found.metadata.annotations["deployment.kubernetes.io/revision"] == "2"
    await apps.patch_namespaced_deployment_scale("web", place.namespace, {"spec": {"replicas": 1}})
    assert (await rolled_out(apps, place)).status.replicas == 1


async def test_logs_and_deletes(api: Any, place: Place) -> None:
    core, apps = library.client.CoreV1Api(api), library.client.AppsV1Api(api)
    await apps.create_namespaced_deployment(place.namespace, yaml.safe_load(deployment("web", replicas=1)))
    await rolled_out(apps, place)
    pod = (await core.list_namespaced_pod(place.namespace)).items[0].metadata.name
    assert await core.read_namespaced_pod_log(pod, place.namespace)
    await apps.delete_collection_namespaced_deployment(place.namespace)
    assert (await apps.list_namespaced_deployment(place.namespace)).items == []


async def test_an_expired_version(api: Any, place: Place) -> None:
    core = library.client.CoreV1Api(api)
    async with library.watch.Watch() as watch:
        stream = watch.stream(core.list_namespaced_pod, place.namespace, resource_version="1", timeout_seconds=5)
        with pytest.raises(library.client.ApiException) as raised:
            await anext(stream)
    assert raised.value.status == 410


async def test_dynamic_client(api: Any, place: Place) -> None:
    client = await dynamic.DynamicClient(api)
    maps = await client.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
    applied = await maps.server_side_apply(body, namespace=place.namespace, field_manager="test")
    assert applied.data.a == "b"
