"""The fleet's pods on a real core: their lives from the watch to the write, and back."""

from __future__ import annotations

import asyncio

import pytest

from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_machinery.api import Create, Delete, UpdateStatus, Write
from rollplane_machinery.errors import ConflictError, InternalError, RollplaneError
from rollplane_machinery.metadata import is_being_deleted
from rollplane_rehearsal.virtual_time import in_virtual_time
from tests.kubelet_sim.fleets import is_ready, profile, world


@in_virtual_time
async def test_a_pod_is_ready_at_once_and_leaves_at_once_with_one_write_each() -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet("instant", api=api)
        before = len(api.writes)
        await here.pod()
        await asyncio.sleep(0.5)
        pod = await here.get()
        assert is_ready(pod)
        assert (pod.status.phase, pod.status.host_ip) == ("Running", "172.16.0.1")
        await here.delete()
        await asyncio.sleep(0.4)
        assert await here.is_gone()
        assert [type(write) for write in api.writes[before:]] == [UpdateStatus, Delete]


@in_virtual_time
async def test_many_pods_travel_in_few_batches() -> None:
    async with world() as here:
        api = here.node_api()
        fleet, _ = await here.fleet("instant", api=api)
        before = api.batches
        for number in range(100):
            await here.pod(f"web-{number}", f"node-{number % 2}")
        await asyncio.sleep(0.5)
        assert all([is_ready(await here.get(f"web-{number}")) for number in range(100)])
        assert len(fleet.pods) == 100
        assert api.batches - before < 110
        addresses = {(await here.get(f"web-{number}")).status.pod_ip for number in range(100)}
        assert len(addresses) == 100


@in_virtual_time
async def test_a_realistic_life_takes_its_time() -> None:
    async with world() as here:
        await here.fleet("realistic")
        await here.pod()
        await asyncio.sleep(0.05)
        assert (await here.get()).status.phase == "Pending"
        await asyncio.sleep(60)
        assert is_ready(await here.get())
        await here.delete()
        await asyncio.sleep(0.1)
        assert is_being_deleted((await here.get()).metadata)
        await asyncio.sleep(31)
        assert await here.is_gone()
        assert {"Pulling", "Pulled", "Created", "Started", "Killing"} <= set(await here.reasons())


@in_virtual_time
async def test_a_missing_image_backs_off_and_tells_so() -> None:
    async with world() as here:
        await here.fleet("instant")
        await here.pod(image="nginx:404")
        await asyncio.sleep(400)
        waiting = (await here.get()).status.container_statuses[0].state.waiting
        assert waiting.reason == "ImagePullBackOff"
        failed = [event for event in await here.events() if event.message == "Error: ErrImagePull"]
        assert [(event.count, event.type, event.source.host) for event in failed] == [(6, "Warning", "node-0")]


@in_virtual_time
async def test_two_fleets_keep_to_their_own() -> None:
    async with world() as here:
        first, second = here.node_api(), here.node_api()
        await here.fleet("instant", settings=FleetSettings("left", 1, 0), api=first)
        await here.fleet("manual", settings=FleetSettings("right", 1, 1), api=second)
        await here.pod("one", "left-0")
        await here.pod("two", "right-1")
        await asyncio.sleep(30)
        one, two = await here.get("one"), await here.get("two")
        assert (is_ready(one), is_ready(two)) == (True, False)
        assert two.status.container_statuses[0].state.waiting.reason == "ContainerCreating"
        assert (one.status.host_ip, two.status.host_ip) == ("172.16.0.1", "172.16.0.2")
        assert not [name for name in _names(first.writes) if name.startswith(("right", "two"))]
        assert not [name for name in _names(second.writes) if name.startswith(("left", "one"))]


def _names(writes: list[Write]) -> list[str]:
    return [
        str(write.object.parse().metadata.name) if isinstance(write, Create | UpdateStatus) else "" for write in writes
    ]


@pytest.mark.parametrize("word", ["crash", "ready"])
@in_virtual_time
async def test_an_order_is_carried_out_exactly_once(word: str) -> None:
    async with world() as here:
        await here.fleet("manual")
        await here.pod()
        await asyncio.sleep(0.1)
        await here.order("ready")
        await asyncio.sleep(0.1)
        await here.order(word)
        await asyncio.sleep(10)
        pod = await here.get()
        assert "sim.rollplane.dev/do" not in pod.metadata.annotations
        assert is_ready(pod) is (word == "ready")
        assert pod.status.container_statuses[0].restart_count == 0


@in_virtual_time
async def test_an_order_meets_a_conflict_and_a_restart_and_still_happens_once() -> None:
    async with world() as here:
        api = here.node_api()
        _, task = await here.fleet("instant", api=api)
        await here.pod()
        await asyncio.sleep(0.5)
        refusals = iter([ConflictError("the pod has changed"), InternalError("out of order")])
        api.refuse = lambda write: next(refusals, None) if isinstance(write, UpdateStatus) else None
        await here.order("crash")
        await asyncio.sleep(0.2)
        assert (await here.get()).metadata.annotations["sim.rollplane.dev/do"] == "crash"
        task.cancel()
        await here.fleet("instant")
        await asyncio.sleep(100)
        pod = await here.get()
        assert (is_ready(pod), pod.status.container_statuses[0].restart_count) == (True, 1)
        assert dict(pod.metadata.annotations) == {}


@pytest.mark.parametrize("error", [ConflictError("changed"), InternalError("out of order")])
@in_virtual_time
async def test_a_refused_status_is_not_lost(error: RollplaneError) -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet("instant", api=api)
        refusals = iter([error] * 5)
        api.refuse = lambda write: next(refusals, None) if isinstance(write, UpdateStatus | Delete) else None
        await here.pod()
        await asyncio.sleep(60)
        assert is_ready(await here.get())
        refusals = iter([error] * 3)
        await here.delete()
        await asyncio.sleep(60)
        assert await here.is_gone()


@in_virtual_time
async def test_a_change_while_a_report_is_under_way_is_seen() -> None:
    """The order comes between the report and its echo."""
    async with world() as here:
        await here.fleet("manual")
        await here.pod()
        await here.order("unready")
        await here.order("ready")
        await asyncio.sleep(1)
        assert is_ready(await here.get())


@in_virtual_time
async def test_a_restarted_fleet_lists_again_and_keeps_restarts_and_addresses() -> None:
    async with world() as here:
        lived_by = profile("rules: [{stage: crash, delay: 5, limit: 2}]")
        _, task = await here.fleet(lived_by)
        await here.pod("old")
        await asyncio.sleep(60)
        before = await here.get("old")
        assert before.status.container_statuses[0].restart_count == 2
        task.cancel()
        await here.pod("away")
        await here.pod("next", "node-1")
        await here.delete("next", 0)
        await here.pod("next", "node-1")
        api = here.node_api()
        await here.fleet(lived_by, api=api)
        await asyncio.sleep(60)
        after = await here.get("old")
        assert after.status == before.status
        assert len({(await here.get(name)).status.pod_ip for name in ("old", "away", "next")}) == 3
        assert (await here.get("away")).status.container_statuses[0].restart_count == 2


@in_virtual_time
async def test_a_namesake_begins_a_life_of_its_own() -> None:
    async with world() as here:
        await here.fleet("manual")
        await here.pod()
        await asyncio.sleep(1)
        await here.order("ready")
        await asyncio.sleep(1)
        await here.delete(grace=0)
        await here.pod()
        await asyncio.sleep(1)
        assert not is_ready(await here.get())


@in_virtual_time
async def test_a_pod_kept_by_finalizers_is_removed_once() -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet("instant", api=api)
        await here.pod()
        await asyncio.sleep(0.3)
        await here.patch("web", {"metadata": {"finalizers": ["example.com/keep"]}})
        before = len(api.writes)
        await here.delete()
        await asyncio.sleep(0.3)
        assert (await here.get()).metadata.deletion_grace_period_seconds == 0
        assert [type(write) for write in api.writes[before:]] == [Delete]
        await here.patch("web", {"metadata": {"finalizers": None}})
        await asyncio.sleep(0.3)
        assert await here.is_gone()


@in_virtual_time
async def test_a_fleet_at_rest_only_renews_leases() -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet("instant", api=api)
        for number in range(10):
            await here.pod(f"web-{number}")
        await asyncio.sleep(5)
        before, batches = len(api.writes), api.batches
        await asyncio.sleep(100)
        assert len(api.writes) - before == 2 * 10
        assert api.batches - batches <= 20
