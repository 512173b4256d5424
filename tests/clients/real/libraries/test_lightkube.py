"""lightkube: strategic patches, waits by a watch of one name, server-side apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.manifests import deployment

lightkube = pytest.importorskip("lightkube", reason="the library lightkube is not installed")
apps = pytest.importorskip("lightkube.resources.apps_v1", reason="the library lightkube is not installed")
core = pytest.importorskip("lightkube.resources.core_v1", reason="the library lightkube is not installed")
codecs = pytest.importorskip("lightkube.codecs", reason="the library lightkube is not installed")
types = pytest.importorskip("lightkube.types", reason="the library lightkube is not installed")
MERGE, JSON = types.PatchType.MERGE, types.PatchType.JSON


@pytest.fixture
def client(place: Place) -> Iterator[Any]:
    config = lightkube.KubeConfig.from_file(str(place.kubeconfig)).get()
    with lightkube.Client(config=config, namespace=place.namespace, field_manager="one") as client:
        yield client


@pytest.fixture
def web(client: Any) -> str:
    client.create(manifest())
    client.wait(apps.Deployment, "web", for_conditions=["Available"])
    return "web"


def manifest(replicas: int = 3) -> Any:
    return codecs.from_dict(yaml.safe_load(deployment("web", replicas=replicas)))


def test_patches(client: Any, web: str) -> None:
    containers = [{"name": "nginx", "image": "nginx:1.9.1"}]
    strategic = client.patch(apps.Deployment, web, {"spec": {"template": {"spec": {"containers": containers}}}})
    container = strategic.spec.template.spec.containers[0]
    assert (container.image, container.ports[0].containerPort) == ("nginx:1.9.1", 80)
    client.patch(apps.Deployment, web, {"metadata": {"labels": {"tier": "front"}}}, patch_type=MERGE)
    added = [{"op": "add", "path": "/metadata/labels/team", "value": "shop"}]
    patched = client.patch(apps.Deployment, web, added, patch_type=JSON)
    assert patched.metadata.labels == {"app": "nginx", "tier": "front", "team": "shop"}


def test_scale_and_status(client: Any, web: str) -> None:
    assert client.patch(apps.Deployment.Scale, web, {"spec": {"replicas": 1}}).spec.replicas == 1
    scale = client.get(apps.Deployment.Scale, web)
    scale.spec.replicas, scale.metadata.resourceVersion = 2, None
    assert client.replace(scale, web).spec.replicas == 2
    assert client.get(apps.Deployment.Status, web).status.observedGeneration


def test_apply(client: Any) -> None:
    assert client.apply(manifest()).spec.replicas == 3
    with pytest.raises(lightkube.ApiError) as raised:
        client.apply(manifest(replicas=4), field_manager="two")
    assert (raised.value.status.code, ".spec.replicas" in raised.value.status.message) == (409, True)
    assert client.apply(manifest(replicas=4), field_manager="two", force=True).spec.replicas == 4


def test_lists_in_pages_and_watches(client: Any, web: str) -> None:
    listed = client.list(core.Pod, labels={"app": web}, chunk_size=2)
    pods = list(listed)
    assert len(pods) == 3
    client.delete(core.Pod, pods[0].metadata.name)
    told = client.watch(core.Pod, resource_version=listed.resourceVersion)
    assert pods[0].metadata.name in {pod.metadata.name for _, (_, pod) in zip(range(3), told, strict=False)}


def test_logs_and_deleted_collections(client: Any, web: str) -> None:
    pod = next(iter(client.list(core.Pod)))
    assert list(client.log(pod.metadata.name))
    client.delete(apps.Deployment, web, cascade=types.CascadeType.BACKGROUND)
    client.deletecollection(core.Pod)
    with pytest.raises(lightkube.ApiError, match="not found"):
        client.get(apps.Deployment, web)
