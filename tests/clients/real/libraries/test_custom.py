"""Custom kinds in the libraries of others: an operator with a kind of its own, and generic clients."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.libraries.plain import Rest
from tests.customs import DEFINITIONS
from tests.end_to_end.up_process import eventually

OPERATOR = Path(__file__).parents[4] / "examples" / "operator"
MERGE = "application/merge-patch+json"
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported")


@pytest.fixture
def site(place: Place) -> tuple[Rest, str, dict[str, Any]]:
    """A plane that knows Websites: how to ask it, where those of a namespace are, and one to create."""
    rest = Rest(place.url)
    definition, one = yaml.safe_load_all((OPERATOR / "website.yaml").read_text())
    assert rest.send("POST", DEFINITIONS, definition).status in (201, 409)
    return rest, f"/apis/example.com/v1/namespaces/{place.namespace}/websites", one


@contextmanager
def operator(place: Place, log: Path) -> Iterator[None]:
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "kopf", "run", "--standalone", "--namespace", place.namespace, str(OPERATOR / "websites.py")),
            ],
            env={**os.environ, "KUBECONFIG": str(place.kubeconfig)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)
    told = log.read_text()
    print(told)
    assert process.returncode == 0
    assert "ERROR" not in told


def test_an_operator_with_a_kind_of_its_own(
    place: Place, site: tuple[Rest, str, dict[str, Any]], tmp_path: Path
) -> None:
    pytest.importorskip("kopf", reason="the library kopf is not installed")
    pytest.importorskip("kubernetes", reason="the library kubernetes is not installed")
    rest, path, one = site
    deployment = f"/apis/apps/v1/namespaces/{place.namespace}/deployments/menu"

    def ready() -> int | None:
        found: int | None = rest.read(f"{path}/menu").get("status", {}).get("replicas")
        return found

    def pods() -> list[str]:
        found = rest.read(f"/api/v1/namespaces/{place.namespace}/pods")["items"]
        return [each["spec"]["containers"][0]["image"] for each in found]

    assert rest.send("POST", path, one).status == 201
    with operator(place, tmp_path / "log"):
        eventually(lambda: ready() == 2, "the operator has made no Deployment")
        assert rest.send("PATCH", f"{path}/menu", {"spec": {"image": "nginx:1.28"}}, MERGE).status == 200
        eventually(lambda: pods() == ["nginx:1.28"] * 2, "the operator has not changed the image")
        assert rest.send("PATCH", f"{path}/menu/scale", {"spec": {"replicas": 3}}, MERGE).status == 200
        eventually(lambda: ready() == 3, "the operator has not scaled")
        assert rest.send("DELETE", f"{path}/menu").status == 200
        eventually(lambda: rest.send("GET", deployment).status == 404, "the Deployment did not go with its Website")
        eventually(lambda: pods() == [], "the pods did not go with the Website")


def test_the_dynamic_client(place: Place, site: tuple[Rest, str, dict[str, Any]]) -> None:
    kubernetes = pytest.importorskip("kubernetes", reason="the library kubernetes is not installed")
    dynamic = pytest.importorskip("kubernetes.dynamic", reason="the library kubernetes is not installed")
    _, _, one = site
    with kubernetes.config.new_client_from_config(str(place.kubeconfig)) as api:
        websites = dynamic.DynamicClient(api).resources.get(api_version="example.com/v1", kind="Website")
        made = websites.create(body=one, namespace=place.namespace)
        assert (made.spec.replicas, made.metadata.generation) == (2, 1)
        seen = next(websites.watch(namespace=place.namespace, timeout=10))
        assert (seen["type"], seen["object"].metadata.name) == ("ADDED", "menu")
        patched = websites.patch(
            name="menu", namespace=place.namespace, body={"spec": {"replicas": 4}}, content_type=MERGE
        )
        assert patched.spec.replicas == 4
        websites.status.patch(
            name="menu", namespace=place.namespace, body={"status": {"replicas": 4}}, content_type=MERGE
        )
        assert websites.get(name="menu", namespace=place.namespace).status.replicas == 4
        objects = kubernetes.client.CustomObjectsApi(api)
        where = ("example.com", "v1", place.namespace, "websites", "menu")
        assert objects.get_namespaced_custom_object(*where)["spec"]["image"] == "nginx:1.27"
        assert objects.get_namespaced_custom_object_scale(*where)["spec"]["replicas"] == 4
        websites.delete(name="menu", namespace=place.namespace)
        assert websites.get(namespace=place.namespace).items == []


async def test_kr8s(place: Place, site: tuple[Rest, str, dict[str, Any]]) -> None:
    library = pytest.importorskip("kr8s.asyncio", reason="the library kr8s is not installed")
    objects = pytest.importorskip("kr8s.asyncio.objects", reason="the library kr8s is not installed")
    _, _, one = site
    api = await library.api(kubeconfig=str(place.kubeconfig), namespace=place.namespace)
    try:
        website = objects.new_class("Website", version="example.com/v1", namespaced=True, plural="websites")
        menu = await website(one, namespace=place.namespace, api=api)
        await menu.create()
        await menu.patch({"spec": {"replicas": 5}})
        assert menu.spec.replicas == 5
        assert [each.name async for each in api.get("websites.example.com")] == ["menu"]
        await menu.delete()
    finally:
        await api._session.aclose()  # it offers nothing to close itself with


def test_lightkube(place: Place, site: tuple[Rest, str, dict[str, Any]]) -> None:
    lightkube = pytest.importorskip("lightkube", reason="the library lightkube is not installed")
    generic = pytest.importorskip("lightkube.generic_resource", reason="the library lightkube is not installed")
    types = pytest.importorskip("lightkube.types", reason="the library lightkube is not installed")
    _, _, one = site
    config = lightkube.KubeConfig.from_file(str(place.kubeconfig)).get()
    website = generic.create_namespaced_resource("example.com", "v1", "Website", "websites")
    with lightkube.Client(config=config, namespace=place.namespace, field_manager="one") as client:
        client.create(website(one))
        patched = client.patch(website, "menu", {"spec": {"replicas": 6}}, patch_type=types.PatchType.MERGE)
        assert patched.spec["replicas"] == 6
        assert [each.metadata.name for each in client.list(website)] == ["menu"]
        client.apply(website({**one, "spec": {**one["spec"], "replicas": 7}}), force=True)
        assert client.get(website, "menu").spec["replicas"] == 7
        client.delete(website, "menu")
        with pytest.raises(lightkube.ApiError, match="not found"):
            client.get(website, "menu")
