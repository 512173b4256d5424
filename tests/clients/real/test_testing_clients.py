"""Servers for tests whose time stands still: what real clients see follows from the steps that a test takes."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollplane_testing.options import Options
from rollplane_testing.place import Place
from rollplane_testing.server import Servers
from tests.clients.real.conftest import had
from tests.clients.real.manifests import deployment

SECONDS = 60
HELD = Options(profile="realistic", speed=0.0)
WEB = deployment("web")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with Servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture
def place(servers: Servers) -> Iterator[Place]:
    with servers.place(HELD) as place:
        yield place


def library(name: str) -> Any:
    """Return a library of others, or skip: none of them is part of our environment."""
    pytest.importorskip(name.partition(".")[0], reason=f"the library {name} is not installed")
    return importlib.import_module(name)


def test_kubectl_follows_a_rollout_that_is_stepped(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    kubectl = str(had("kubectl", "1.34").path)
    monkeypatch.setenv("ROLLPLANE_KUBECTL", kubectl)
    place.kubectl("apply", "-f", "-", given=WEB)
    place.advance(0.1)  # controllers make pods, kubelets begin to pull
    following = subprocess.Popen(
        [kubectl, "rollout", "status", "deployment/web"], env=place.env(), stdout=subprocess.PIPE, text=True
    )
    with following as process:
        assert process.stdout is not None
        assert "0 of 3 updated replicas are available" in process.stdout.readline()
        assert place.until_rolled_out() > 1
        told, _ = process.communicate(timeout=SECONDS)
    assert told.splitlines()[-1] == 'deployment "web" successfully rolled out'
    place.advance(3600)
    assert place.kubectl("get", "deployment", "web", "--no-headers").split()[-1] in ("60m", "61m")


def test_the_official_client_sees_each_step(place: Place) -> None:
    kubernetes = library("kubernetes")
    api = kubernetes.client.AppsV1Api(kubernetes.config.new_client_from_config(str(place.kubeconfig)))
    place.apply(WEB)
    seen = [_available(api, place)]
    while seen[-1] < 3:
        place.advance(0.25)
        seen.append(_available(api, place))
        assert len(seen) < 4 * SECONDS
    assert (seen[0], seen) == (0, sorted(seen))


def _available(api: Any, place: Place) -> int:
    return api.read_namespaced_deployment("web", place.namespace).status.available_replicas or 0


@pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported")
async def test_kr8s_waits_while_a_test_steps(place: Place) -> None:
    kr8s = library("kr8s.asyncio")
    objects = importlib.import_module("kr8s.asyncio.objects")
    api = await kr8s.api(kubeconfig=str(place.kubeconfig))
    place.apply(WEB)
    web = await objects.Deployment.get("web", namespace=place.namespace, api=api)
    waiting = asyncio.ensure_future(web.wait("condition=Available", timeout=SECONDS))
    await asyncio.to_thread(place.until_rolled_out)
    await waiting
    await web.refresh()
    assert web.status.availableReplicas == 3
    pods = [pod async for pod in kr8s.get("pods", namespace=place.namespace, api=api)]
    assert {pod.status.phase for pod in pods} == {"Running"}
    await api._session.aclose()  # it offers nothing to close itself with


def test_an_operator_has_its_stale_watch(place: Place, tmp_path: Path) -> None:
    """Nothing is told while watches stall, and all of it afterwards."""
    kubernetes = library("kubernetes")
    api = kubernetes.client.CoreV1Api(kubernetes.config.new_client_from_config(str(place.kubeconfig)))
    place.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: before}")
    version = api.list_namespaced_config_map(place.namespace).metadata.resource_version
    place.troubles.stall_watches(30.0)
    place.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: after}")
    watch = kubernetes.watch.Watch()
    options = {"resource_version": version, "_request_timeout": 1.0}
    with pytest.raises(importlib.import_module("urllib3.exceptions").ReadTimeoutError):
        list(watch.stream(api.list_namespaced_config_map, place.namespace, **options))
    place.advance(30.0)
    for event in watch.stream(api.list_namespaced_config_map, place.namespace, **{**options, "_request_timeout": 30.0}):
        assert event["object"].metadata.name == "after"
        break
