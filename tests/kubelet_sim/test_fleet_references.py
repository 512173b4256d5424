"""The fleet's eye on ConfigMaps and Secrets: only while pods refer to any, and never on what they hold."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rollplane.core.v1 import ConfigMap, Container, EnvVar, Pod, Secret
from rollplane_kubelet_sim.references import References, WithoutValues
from rollplane_kubelet_sim.stages.references import NOTHING_MISSING
from rollplane_machinery.api import Create, Delete, Key, Patch, PatchType, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.kinds import CONFIG_MAP, POD, SECRET, Encoded
from rollplane_rehearsal.virtual_time import LoopClock, in_virtual_time
from tests.kubelet_sim.fleets import World, is_ready, world

TOKEN = Key(SECRET, "default", "token")


def _token() -> EnvVar:
    variable = EnvVar(name="TOKEN")
    variable.value_from.secret_key_ref.local_object_reference.name = "token"
    variable.value_from.secret_key_ref.key = "key"
    return variable


def _pod() -> Pod:
    pod = Pod()
    pod.metadata.namespace, pod.metadata.name = "default", "web"
    pod.spec.containers.append(Container(name="app", env=[_token()]))
    return pod


async def _secret(here: World, key: str = "key") -> None:
    secret = Secret(data={key: b"swordfish"})
    secret.metadata.namespace, secret.metadata.name = "default", "token"
    await here.api.write(Create(Encoded.of(secret)))


class _Eye:
    """References on an api that notes which watches are open, with what they said."""

    def __init__(self, here: World) -> None:
        self._watch = here.api.watch
        self.open = 0
        self.references = References(self, self._note, clock=LoopClock())
        self.changes = 0

    def _note(self) -> None:
        self.changes += 1

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async with self._watch(query) as batches:
            self.open += 1
            try:
                yield batches
            finally:
                self.open -= 1


@in_virtual_time
async def test_nothing_is_watched_unless_a_pod_refers_to_something() -> None:
    async with world() as here:
        eye, key = _Eye(here), Key(POD, "default", "web")
        task = asyncio.create_task(eye.references.run())
        assert not eye.references.concern(Key(POD, "default", "plain"), Pod())
        await asyncio.sleep(1)
        assert eye.open == 0
        for _ in range(2):
            assert eye.references.concern(key, _pod())
            assert eye.references.missing(_pod()) is None
            await asyncio.sleep(1)
            assert (eye.open, bool(eye.references.missing(_pod()))) == (1, True)
            eye.references.forget(key)
            await asyncio.sleep(1)
            assert (eye.open, eye.references.missing(_pod())) == (0, None)
        task.cancel()


@in_virtual_time
async def test_a_change_of_values_is_no_news() -> None:
    async with world() as here:
        eye = _Eye(here)
        task = asyncio.create_task(eye.references.run())
        await _secret(here)
        eye.references.concern(Key(POD, "default", "web"), _pod())
        await asyncio.sleep(1)
        assert eye.references.missing(_pod()) == NOTHING_MISSING
        changes = eye.changes
        for value in (b"opensesame", b"friend"):
            patch = json.dumps({"data": {"key": b64encode(value).decode()}}).encode()
            await here.api.write(Patch(TOKEN, PatchType.MERGE, patch))
            await asyncio.sleep(0.5)
        assert eye.changes == changes
        await here.api.write(Delete(TOKEN))
        await asyncio.sleep(0.5)
        assert (eye.changes, bool(eye.references.missing(_pod()))) == (changes + 1, True)
        task.cancel()


@in_virtual_time
async def test_no_value_gets_past_the_watch() -> None:
    async with world() as here:
        await _secret(here)
        config_map = ConfigMap(data={"key": "swordfish"}, binary_data={"blob": b"swordfish"})
        config_map.metadata.namespace, config_map.metadata.name = "default", "hints"
        config_map.metadata.annotations["last-applied"] = "swordfish"
        await here.api.write(Create(Encoded.of(config_map)))
        query = WatchQuery((WatchFilter(SECRET), WatchFilter(CONFIG_MAP)), send_initial_state=True)
        async with WithoutValues(here.api).watch(query) as batches:
            events = [event for event in (await anext(batches)).events if event.object.key.namespace == "default"]
        assert {event.object.key.name for event in events} == {"token", "hints"}
        assert all(b"key" in event.object.value and b"swordfish" not in event.object.value for event in events)


@in_virtual_time
async def test_pods_wait_for_their_secret_and_start_once_it_is_there() -> None:
    async with world() as here:
        await here.fleet("instant")
        for number in range(3):
            await here.pod(f"web-{number}", env=[_token()])
        await asyncio.sleep(1)
        pods = [await here.get(f"web-{number}") for number in range(3)]
        assert {pod.status.container_statuses[0].state.waiting.reason for pod in pods} == {"CreateContainerConfigError"}
        failed = [event for event in await here.events() if event.reason == "Failed"]
        assert {(event.type, event.message) for event in failed} == {("Warning", 'Error: secret "token" not found')}
        await _secret(here)
        await asyncio.sleep(0.5)
        assert all([is_ready(await here.get(f"web-{number}")) for number in range(3)])


@in_virtual_time
async def test_a_secret_made_before_its_pod_is_never_called_missing() -> None:
    async with world() as here:
        await here.fleet("instant")
        await here.pod("other", env=[_token()])
        await asyncio.sleep(1)
        await _secret(here)
        await here.pod(env=[_token()])
        await asyncio.sleep(0.5)
        assert is_ready(await here.get())
        told = [event.involved_object.name for event in await here.events() if event.reason == "Failed"]
        assert told == ["other"]


@in_virtual_time
async def test_after_a_restart_of_the_fleet_pods_still_wait_and_start() -> None:
    async with world() as here:
        _, task = await here.fleet("instant")
        await here.pod(env=[_token()])
        await asyncio.sleep(1)
        task.cancel()
        await here.fleet("instant")
        await asyncio.sleep(1)
        assert (await here.get()).status.container_statuses[0].state.waiting.reason == "CreateContainerConfigError"
        await _secret(here)
        await asyncio.sleep(0.5)
        assert is_ready(await here.get())
