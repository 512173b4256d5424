"""Profiles at run time: through a ConfigMap, for pods that live already and for those to come."""

from __future__ import annotations

import asyncio

from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_machinery.api import UpdateStatus
from rollplane_rehearsal.virtual_time import in_virtual_time
from tests.kubelet_sim.fleets import is_ready, world


@in_virtual_time
async def test_a_config_map_changes_the_profile_and_its_deletion_restores_it() -> None:
    async with world() as here:
        fleet, _ = await here.fleet("instant")
        await here.pod("before")
        await asyncio.sleep(600)
        await here.set_profile("name: stormy\nrules: [{stage: crash, delay: 5, limit: 1}]")
        await here.pod("after")
        await asyncio.sleep(20)
        assert fleet.profile.name == "stormy"
        counts = [(await here.get(name)).status.container_statuses[0].restart_count for name in ("before", "after")]
        assert counts == [1, 1]
        assert is_ready(await here.get("before"))
        await here.drop_profile()
        await here.pod("last")
        await asyncio.sleep(20)
        assert fleet.profile.name == "instant"
        assert (await here.get("last")).status.container_statuses[0].restart_count == 0
        assert "ProfileChanged" in await here.reasons()


@in_virtual_time
async def test_a_bad_profile_leaves_the_old_one_and_says_why_where_users_look() -> None:
    async with world() as here:
        fleet, _ = await here.fleet("instant")
        await here.set_profile("name: calm")
        await asyncio.sleep(1)
        await here.set_profile("name: typo\nrules: [{stage: pull, outcom: fail}]")
        await asyncio.sleep(1)
        assert fleet.profile.name == "calm"
        [event] = [event for event in await here.events() if event.reason == "ProfileRefused"]
        assert event.type == "Warning"
        assert "rules[0].outcom" in event.message
        assert event.message.startswith("calm stays")
        assert event.involved_object.kind == "ConfigMap"
        assert event.metadata.namespace == "kube-system"
        await here.pod()
        await asyncio.sleep(1)
        assert is_ready(await here.get())


@in_virtual_time
async def test_not_even_yaml() -> None:
    async with world() as here:
        fleet, _ = await here.fleet("instant")
        await here.set_profile("rules: [")
        await asyncio.sleep(1)
        assert fleet.profile.name == "instant"
        assert "ProfileRefused" in await here.reasons()


@in_virtual_time
async def test_a_missing_image_that_appears_is_pulled_when_the_back_off_is_over() -> None:
    async with world() as here:
        await here.fleet("instant")
        await here.pod(image="nginx:404")
        await asyncio.sleep(35)
        await here.set_profile("rules: [{stage: pull, match: {image: 'nginx:404'}}]")
        await asyncio.sleep(40)
        assert is_ready(await here.get())


@in_virtual_time
async def test_a_fleet_that_starts_later_finds_the_profile_before_it_looks() -> None:
    async with world() as here:
        first, _ = await here.fleet(settings=FleetSettings("first", 1))
        await here.set_profile("manual: true")
        await here.pod(node="late-1")
        await here.fleet("instant", settings=FleetSettings("late", 1, 1))
        await asyncio.sleep(10)
        pod = await here.get()
        assert not is_ready(pod)
        assert pod.status.container_statuses[0].state.waiting.reason == "ContainerCreating"
        assert first.profile.manual


@in_virtual_time
async def test_restarts_of_kubelets_lose_nothing_and_are_counted_by_node() -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet("instant", api=api)
        for number in range(4):
            await here.pod(f"web-{number}", f"node-{number % 2}")
        await asyncio.sleep(1)
        await here.order("crash", "web-0")
        await asyncio.sleep(10)
        before = [await here.get(f"web-{number}") for number in range(4)]
        writes = len(api.writes)
        await here.set_profile("restarts: {'node-*': 1, node-0: 1}")
        await asyncio.sleep(5)
        assert [await here.get(f"web-{number}") for number in range(4)] == before
        assert not [write for write in api.writes[writes:] if isinstance(write, UpdateStatus)]
