"""The typed client over both Apis."""

from __future__ import annotations

import asyncio

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Pod
from rollplane_client.objects import Client
from rollplane_client.typed import parse
from rollplane_machinery.api import Api, EventType
from rollplane_machinery.errors import AlreadyExistsError, BadRequestError, ConflictError, NotFoundError
from rollplane_machinery.kinds import Encoded
from tests.clients.python.plane import config_map, deployment

YAML = """
apiVersion: v1
kind: ConfigMap
metadata: {name: a, namespace: default}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: default}
"""


@pytest.fixture
def client(api: Api) -> Client:
    return Client(api, field_manager="tests")


async def test_create_get_update_delete(client: Client) -> None:
    created = await client.create(config_map("a", data="1"))
    assert created.metadata.uid
    stale = await client.get(ConfigMap, "default", "a")
    assert stale == created
    created.data["text"] = "2"
    updated = await client.update(created)
    assert updated.data["text"] == "2"
    with pytest.raises(ConflictError):
        await client.update(stale)
    assert (await client.delete(ConfigMap, "default", "a")).removed
    with pytest.raises(NotFoundError):
        await client.get(ConfigMap, "default", "a")


async def test_yaml_with_several_documents(client: Client) -> None:
    assert [created.metadata.name for created in await client.create_yaml(YAML)] == ["a", "b"]
    with pytest.raises(AlreadyExistsError):
        await client.create_yaml(YAML)
    with pytest.raises(BadRequestError, match="imagee"):
        await client.create_yaml("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, imagee: b}]}")


async def test_apply_creates_changes_and_leaves_what_others_wrote(client: Client) -> None:
    first = await client.apply(config_map("a", data="1", app="a", gone="soon"))
    assert (await client.apply(config_map("a", data="1", app="a", gone="soon"))).metadata == first.metadata
    live = await client.get(ConfigMap, "default", "a")
    live.metadata.labels["others"] = "stay"
    await client.update(live)
    applied = await client.apply(config_map("a", data="2", app="a"))
    assert (dict(applied.metadata.labels), applied.data["text"]) == ({"app": "a", "others": "stay"}, "2")


async def test_apply_of_yaml_may_be_repeated_and_null_takes_a_member_away(client: Client) -> None:
    unplaced = YAML.replace(", namespace: default", "")
    first = await client.apply_yaml(unplaced)
    assert [each.metadata.namespace for each in first] == ["default", "default"]
    assert await client.apply_yaml(unplaced) == first
    await client.apply_yaml(unplaced + "data: {text: hello}\n")
    [_, cleared] = await client.apply_yaml(unplaced + "data: null\n")
    assert isinstance(cleared, ConfigMap)
    assert dict(cleared.data) == {}


async def test_list_reads_all_pages(client: Client) -> None:
    for number in range(12):
        await client.create(config_map(f"c{number:02}", data="x" * 400_000))
    found = await client.list(ConfigMap, "default")
    assert [message.metadata.name for message in found] == [f"c{number:02}" for number in range(12)]


async def test_watch_tells_what_is_there_and_what_follows(client: Client) -> None:
    await client.create(config_map("a", app="x"))
    async with (
        asyncio.timeout(10),
        client.watch(ConfigMap, "default", label_selector="app=x") as events,
    ):
        first = await anext(events)
        assert (first.type, first.object.metadata.name) == (EventType.ADDED, "a")
        await client.create(config_map("other"))
        result = await client.delete(ConfigMap, "default", "a")
        second = await anext(events)
        assert (second.type, second.revision) == (EventType.DELETED, result.revision)


async def test_rollout_verbs(client: Client) -> None:
    await client.create(deployment("web"))
    target = (Deployment, "default", "web")
    changed = await client.set_image(*target, {"app": "app:v2"}, change_cause="because")
    assert changed.spec.template.spec.containers[0].image == "app:v2"
    assert changed.metadata.annotations["kubernetes.io/change-cause"] == "because"
    await client.scale(*target, 5)
    assert (await client.get(*target)).spec.replicas == 5
    assert (await client.pause(*target)).spec.paused
    assert not (await client.resume(*target)).spec.paused
    assert (await client.restart(*target)).metadata.generation > changed.metadata.generation
    assert list(await client.history(*target)) == []
    with pytest.raises(NotFoundError):
        await client.undo(*target)


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(BadRequestError, match="want a Pod, not a ConfigMap"):
        parse(Pod, Encoded.of(config_map("a")))
