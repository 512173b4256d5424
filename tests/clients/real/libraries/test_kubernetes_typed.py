"""The official Python client, typed: what its generated methods send and read back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.clients.real.libraries.conftest import Place
from tests.clients.real.manifests import deployment
from tests.end_to_end.up_process import eventually

kubernetes = pytest.importorskip("kubernetes", reason="the library kubernetes is not installed")
SCALED = {"spec": {"replicas": 2}}


@pytest.fixture
def api(place: Place) -> Any:
    with kubernetes.config.new_client_from_config(str(place.kubeconfig)) as client:
        yield client


@pytest.fixture
def apps(api: Any) -> Any:
    return kubernetes.client.AppsV1Api(api)


@pytest.fixture
def core(api: Any) -> Any:
    return kubernetes.client.CoreV1Api(api)


@pytest.fixture
def web(apps: Any, place: Place) -> str:
    """The name of a Deployment that has rolled out."""
    apps.create_namespaced_deployment(place.namespace, yaml.safe_load(deployment("web")))
    rolled_out(apps, place)
    return "web"


def rolled_out(apps: Any, place: Place, replicas: int = 3) -> None:
    def is_done() -> bool:
        found = apps.read_namespaced_deployment_status("web", place.namespace)
        status = found.status
        seen = status.observed_generation == found.metadata.generation
        return seen and (status.replicas, status.updated_replicas, status.available_replicas) == (replicas,) * 3

    eventually(is_done, "the rollout of web has not ended")


def test_models_of_a_deployment(apps: Any, place: Place) -> None:
    kind = kubernetes.client
    container = kind.V1Container(
        name="c",
        image="app:1",
        ports=[kind.V1ContainerPort(container_port=80)],
        resources=kind.V1ResourceRequirements(requests={"cpu": "100m"}),
        readiness_probe=kind.V1Probe(http_get=kind.V1HTTPGetAction(path="/", port="http")),
    )
    labels = {"app": "web"}
    template = kind.V1PodTemplateSpec(
        metadata=kind.V1ObjectMeta(labels=labels), spec=kind.V1PodSpec(containers=[container])
    )
    strategy = kind.V1DeploymentStrategy(
        type="RollingUpdate", rolling_update=kind.V1RollingUpdateDeployment(max_surge="50%", max_unavailable=0)
    )
    spec = kind.V1DeploymentSpec(selector={"matchLabels": labels}, template=template, strategy=strategy)
    body = kind.V1Deployment(metadata=kind.V1ObjectMeta(generate_name="web-"), spec=spec)
    made = apps.create_namespaced_deployment(place.namespace, body)
    assert made.metadata.name.startswith("web-")
    assert (made.spec.replicas, made.spec.strategy.rolling_update.max_surge) == (1, "50%")
    assert made.spec.strategy.rolling_update.max_unavailable == 0
    read = apps.read_namespaced_deployment(made.metadata.name, place.namespace)
    assert read.metadata.creation_timestamp == made.metadata.creation_timestamp
    assert read.spec.template.spec.containers[0].readiness_probe.http_get.port == "http"


def test_patch_is_strategic(apps: Any, place: Place, web: str) -> None:
    containers = [{"name": "nginx", "image": "nginx:1.9.1"}]
    patched = apps.patch_namespaced_deployment(
        web, place.namespace, {"spec": {"template": {"spec": {"containers": containers}}}}
    )
    container = patched.spec.template.spec.containers[0]
    assert (container.image, container.ports[0].container_port) == ("nginx:1.9.1", 80)
    rolled_out(apps, place)
    sets = apps.list_namespaced_replica_set(place.namespace, label_selector="app=web").items
    assert sorted(each.spec.replicas for each in sets) == [0, 3]


def test_scale(apps: Any, place: Place, web: str) -> None:
    assert apps.patch_namespaced_deployment_scale(web, place.namespace, SCALED).spec.replicas == 2
    rolled_out(apps, place, replicas=2)
    scale = apps.read_namespaced_deployment_scale(web, place.namespace)
    assert (scale.status.replicas, scale.status.selector) == (2, "app=web")
    scale.spec.replicas, scale.metadata.resource_version = 1, None
    scale = apps.replace_namespaced_deployment_scale(web, place.namespace, scale)
    assert scale.spec.replicas == 1
    scale.metadata.resource_version = "1"
    with pytest.raises(kubernetes.client.ApiException, match="has been modified") as raised:
        apps.replace_namespaced_deployment_scale(web, place.namespace, scale)
    assert raised.value.status == 409


def test_replace_of_what_has_changed_meanwhile(apps: Any, place: Place, web: str) -> None:
    read = apps.read_namespaced_deployment(web, place.namespace)
    apps.patch_namespaced_deployment(web, place.namespace, {"metadata": {"labels": {"tier": "front"}}})
    with pytest.raises(kubernetes.client.ApiException) as raised:
        apps.replace_namespaced_deployment(web, place.namespace, read)
    assert (raised.value.status, "has been modified" in raised.value.body) == (409, True)


def test_dry_run_and_delete(apps: Any, place: Place, web: str) -> None:
    apps.delete_namespaced_deployment(web, place.namespace, dry_run="All")
    options = kubernetes.client.V1DeleteOptions(propagation_policy="Foreground")
    apps.delete_namespaced_deployment(web, place.namespace, body=options)

    def is_gone() -> bool:
        return not apps.list_namespaced_deployment(place.namespace).items

    eventually(is_gone, "the Deployment is still there")
    assert apps.list_namespaced_replica_set(place.namespace).items == []


@pytest.mark.usefixtures("web")
def test_pods(core: Any, place: Place) -> None:
    pod, evicted, _ = [each.metadata.name for each in core.list_namespaced_pod(place.namespace).items]
    assert core.read_namespaced_pod_log(pod, place.namespace)
    assert core.read_namespaced_pod_log(pod, place.namespace, tail_lines=1, timestamps=True).count("\n") == 1
    metadata = kubernetes.client.V1ObjectMeta(name=evicted, namespace=place.namespace)
    eviction = kubernetes.client.V1Eviction(metadata=metadata)
    core.create_namespaced_pod_eviction(evicted, place.namespace, eviction)
    core.delete_namespaced_pod(pod, place.namespace, grace_period_seconds=0)
    names = {each.metadata.name for each in core.list_namespaced_pod(place.namespace).items}
    assert pod not in names


@pytest.mark.usefixtures("web")
def test_pages(core: Any, place: Place) -> None:
    first = core.list_namespaced_pod(place.namespace, limit=2)
    assert (len(first.items), first.metadata.remaining_item_count) == (2, 1)
    rest = core.list_namespaced_pod(place.namespace, limit=2, _continue=first.metadata._continue)
    assert (len(rest.items), rest.metadata._continue) == (1, None)
    assert rest.metadata.resource_version == first.metadata.resource_version


def test_deleted_collection(core: Any, place: Place) -> None:
    for name, tier in (("a", "front"), ("b", "front"), ("c", "back")):
        metadata = {"name": name, "labels": {"tier": tier}}
        core.create_namespaced_config_map(place.namespace, {"metadata": metadata, "data": {"k": "v"}})
    core.delete_collection_namespaced_config_map(place.namespace, label_selector="tier=front")
    left = core.list_namespaced_config_map(place.namespace, label_selector="tier").items
    assert [each.metadata.name for each in left] == ["c"]


def test_secrets_are_bytes(core: Any, place: Place) -> None:
    body = kubernetes.client.V1Secret(
        metadata={"name": "keys"}, string_data={"plain": "x"}, data={"binary": "AP8="}, type="Opaque"
    )
    core.create_namespaced_secret(place.namespace, body)
    assert core.read_namespaced_secret("keys", place.namespace).data == {"plain": "eA==", "binary": "AP8="}


def test_events(api: Any, core: Any, place: Place, web: str) -> None:
    selector = f"involvedObject.name={web},reason=ScalingReplicaSet"
    event, *_ = core.list_namespaced_event(place.namespace, field_selector=selector).items
    assert event.source.component == "deployment-controller"
    # The library's model of the newer version refuses `eventTime: null`, which every server says of such an event.
    newer = kubernetes.client.EventsV1Api(api)
    told = json.loads(newer.read_namespaced_event(event.metadata.name, place.namespace, _preload_content=False).data)
    assert (told["note"], told["regarding"]["name"], told["eventTime"]) == (event.message, web, None)


def test_create_from_yaml(api: Any, apps: Any, place: Place) -> None:
    documents = list(yaml.safe_load_all(f"{deployment('one')}---\n{deployment('two')}"))
    kubernetes.utils.create_from_yaml(api, yaml_objects=documents, namespace=place.namespace)
    assert len(apps.list_namespaced_deployment(place.namespace).items) == 2
    with pytest.raises(kubernetes.utils.FailToCreateError) as raised:
        kubernetes.utils.create_from_yaml(api, yaml_objects=documents[:1], namespace=place.namespace)
    assert [each.status for each in raised.value.api_exceptions] == [409]


def test_who_am_i_and_what_may_i(api: Any) -> None:
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    answer = kubernetes.client.AuthorizationV1Api(api).create_self_subject_access_review(review)
    assert answer.status.allowed
    assert kubernetes.client.AuthenticationV1Api(api).create_self_subject_review({}).status.user_info.username


def test_disruption_budgets(api: Any, apps: Any, core: Any, place: Place, web: str) -> None:
    budgets = kubernetes.client.PolicyV1Api(api)
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": web}}}
    budgets.create_namespaced_pod_disruption_budget(place.namespace, {"metadata": {"name": web}, "spec": spec})

    def is_counted() -> bool:
        status = budgets.read_namespaced_pod_disruption_budget(web, place.namespace).status
        return bool(status.current_healthy == 3)

    eventually(is_counted, "the budget is not counted")
    pod = core.list_namespaced_pod(place.namespace).items[0].metadata.name
    with pytest.raises(kubernetes.client.ApiException) as raised:
        core.create_namespaced_pod_eviction(pod, place.namespace, {"metadata": {"name": pod}})
    assert raised.value.status == 429
