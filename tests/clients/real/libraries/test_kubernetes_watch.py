"""The official Python client: its watch, its dynamic client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.manifests import deployment

kubernetes = pytest.importorskip("kubernetes", reason="the library kubernetes is not installed")
dynamic = pytest.importorskip("kubernetes.dynamic", reason="the library kubernetes is not installed")


@pytest.fixture
def api(place: Place) -> Iterator[Any]:
    with kubernetes.config.new_client_from_config(str(place.kubeconfig)) as client:
        yield client


@pytest.fixture
def core(api: Any, place: Place) -> Any:
    core = kubernetes.client.CoreV1Api(api)
    for name in ("a", "b"):
        core.create_namespaced_config_map(place.namespace, labelled(name))
    return core


def labelled(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"test": "watch"}}}


def told(core: Any, place: Place, **more: Any) -> Iterator[tuple[str, str]]:
    watch = kubernetes.watch.Watch()
    namespaced = core.list_namespaced_config_map
    for event in watch.stream(namespaced, place.namespace, label_selector="test=watch", **more):
        yield event["type"], event["object"].metadata.name


def test_watch_without_a_version_begins_with_what_is_there(core: Any, place: Place) -> None:
    events = told(core, place)
    assert sorted([next(events), next(events)]) == [("ADDED", "a"), ("ADDED", "b")]
    core.patch_namespaced_config_map("a", place.namespace, {"data": {"k": "v"}})
    core.delete_namespaced_config_map("b", place.namespace)
    assert [next(events), next(events)] == [("MODIFIED", "a"), ("DELETED", "b")]


def test_watch_from_a_version_replays(core: Any, place: Place) -> None:
    listed = core.list_namespaced_config_map(place.namespace)
    core.create_namespaced_config_map(place.namespace, labelled("c"))
    core.delete_namespaced_config_map("c", place.namespace)
    told_since = told(core, place, resource_version=listed.metadata.resource_version, timeout_seconds=1)
    assert list(told_since) == [("ADDED", "c"), ("DELETED", "c")]


def test_watch_that_has_an_end(core: Any, place: Place) -> None:
    assert sorted(told(core, place, timeout_seconds=1)) == [("ADDED", "a"), ("ADDED", "b")]


def test_watch_from_a_version_that_is_no_longer_known(core: Any, place: Place) -> None:
    """The library starts again once; with a time limit it does not, and says what the ERROR event says."""
    with pytest.raises(kubernetes.client.ApiException, match="Expired: ") as raised:
        list(told(core, place, resource_version="1", timeout_seconds=5))
    assert raised.value.status == 410


@pytest.fixture
def deployments(api: Any) -> Any:
    return dynamic.DynamicClient(api).resources.get(api_version="apps/v1", kind="Deployment")


def test_dynamic_client_learns_from_plain_discovery(api: Any) -> None:
    resources = dynamic.DynamicClient(api).resources
    assert resources.get(api_version="v1", kind="Pod").subresources.keys() >= {"eviction", "log", "status"}
    assert resources.get(kind="Deployment", prefix="apis").group_version == "apps/v1"
    assert resources.get(api_version="v1", kind="Node").namespaced is False


def test_dynamic_client(deployments: Any, place: Place) -> None:
    deployments.create(yaml.safe_load(deployment("web")), namespace=place.namespace)
    got = deployments.get(name="web", namespace=place.namespace)
    assert got.spec.replicas == 3
    body = {"metadata": {"name": "web"}, "spec": {"replicas": 1}}
    merge = "application/merge-patch+json"
    assert deployments.patch(body=body, namespace=place.namespace, content_type=merge).spec.replicas == 1
    assert deployments.scale.get(name="web", namespace=place.namespace).spec.replicas == 1
    deployments.delete(name="web", namespace=place.namespace)
    with pytest.raises(dynamic.exceptions.NotFoundError):
        deployments.get(name="web", namespace=place.namespace)


def test_dynamic_apply(deployments: Any, place: Place) -> None:
    def apply(replicas: int, manager: str, *, force: bool = False) -> Any:
        body = yaml.safe_load(deployment("web", replicas=replicas))
        return deployments.server_side_apply(
            body, namespace=place.namespace, field_manager=manager, force_conflicts=force
        )

    assert [each.manager for each in apply(2, "one").metadata.managedFields] == ["one"]
    with pytest.raises(dynamic.exceptions.ConflictError) as raised:
        apply(3, "two")
    assert ".spec.replicas" in raised.value.summary()
    assert apply(3, "two", force=True).spec.replicas == 3


def test_dynamic_watch(deployments: Any, place: Place) -> None:
    deployments.create(yaml.safe_load(deployment("web")), namespace=place.namespace)
    for event in deployments.watch(namespace=place.namespace, timeout=20):
        if event["object"].status.availableReplicas == 3:
            break
    else:
        pytest.fail("the watch has not seen the end of the rollout")


def job(name: str, **labels: str) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "work", "image": "busybox:1.36"}]}}
    return {"metadata": {"name": name, "labels": labels}, "spec": {"template": template}}


def test_watch_of_a_kind_that_is_only_stored(api: Any, place: Place) -> None:
    batch = kubernetes.client.BatchV1Api(api)
    batch.create_namespaced_job(place.namespace, job("a"))
    events = kubernetes.watch.Watch().stream(batch.list_namespaced_job, place.namespace)
    first = next(events)
    assert (first["type"], first["object"].spec.parallelism, first["object"].status.active) == ("ADDED", 1, None)
    batch.patch_namespaced_job("a", place.namespace, {"spec": {"suspend": True}})
    changed = next(events)
    assert (changed["type"], changed["object"].spec.suspend) == ("MODIFIED", True)
    ended = {"status": {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}}
    batch.patch_namespaced_job_status("a", place.namespace, ended)
    assert next(events)["object"].status.conditions[0].type == "Complete"
    batch.delete_namespaced_job("a", place.namespace, propagation_policy="Background")
    assert next(events)["type"] == "DELETED"
