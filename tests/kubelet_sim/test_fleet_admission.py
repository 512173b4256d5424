"""Pods bound by hand to a node that does not take them fail; what is over and gone makes room again."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Pod
from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_machinery.api import Create
from rollplane_machinery.kinds import Encoded
from rollplane_rehearsal.virtual_time import in_virtual_time
from tests.kubelet_sim.fleets import World, is_ready, world


async def bound(here: World, name: str, cpu: str = "", port: int = 0, image: str = "nginx:1", **more: str) -> None:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace = name, "default"
    pod.spec.node_name = "node-0"
    container = pod.spec.containers.add(name="app", image=image)
    if cpu:
        container.resources.requests["cpu"].string = cpu
    if port:
        container.ports.add(container_port=port, host_port=port)
    pod.spec.node_selector.update(more)
    await here.api.write(Create(Encoded.of(pod)))


@in_virtual_time
async def test_pod_that_does_not_fit_fails() -> None:
    async with world() as here:
        await here.fleet()
        capacity = (await here.node()).status.allocatable["cpu"].string
        await bound(here, "large", capacity)
        await asyncio.sleep(0.1)
        await bound(here, "more", "100m")
        await asyncio.sleep(5)
        status = (await here.get("more")).status
        assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
        assert status.message.startswith(
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 100, used: "
        )
        assert status.pod_ip == ""
        assert is_ready(await here.get("large"))
        (event,) = [event for event in await here.events() if event.reason == "OutOfcpu"]
        assert (event.type, event.message) == ("Warning", status.message.removeprefix("Pod was rejected: "))


@in_virtual_time
async def test_what_is_gone_makes_room() -> None:
    async with world() as here:
        await here.fleet()
        await bound(here, "first", port=80)
        await asyncio.sleep(0.1)
        await bound(here, "second", port=80)
        await asyncio.sleep(0.5)
        await here.delete("first", 0)
        await asyncio.sleep(5)
        assert is_ready(await here.get("second")), "it was free before the kubelet gave up"
        await bound(here, "third", port=80)
        await asyncio.sleep(5)
        assert (await here.get("third")).status.reason == "NodePorts"


@in_virtual_time
async def test_rejected_pod_takes_no_room() -> None:
    async with world() as here:
        await here.fleet()
        await bound(here, "lost", "1", port=80, zone="nowhere")
        await asyncio.sleep(5)
        assert (await here.get("lost")).status.reason == "NodeAffinity"
        await bound(here, "web", port=80)
        await asyncio.sleep(5)
        assert is_ready(await here.get("web"))


@in_virtual_time
async def test_pods_that_run_stay_whatever_their_node_becomes() -> None:
    """A kubelet that comes back counts them, and refuses none of them."""
    async with world() as here:
        _, task = await here.fleet()
        await here.patch_node("node-0", {"metadata": {"labels": {"zone": "a"}}})
        await asyncio.sleep(0.5)
        await bound(here, "web", port=80, zone="a")
        await asyncio.sleep(1)
        await here.patch_node("node-0", {"metadata": {"labels": {"zone": "b"}}})
        task.cancel()
        await asyncio.sleep(1)
        await here.fleet(settings=FleetSettings(nodes=2))
        await asyncio.sleep(5)
        assert is_ready(await here.get("web"))
        await bound(here, "other", port=80)
        await asyncio.sleep(5)
        assert (await here.get("other")).status.reason == "NodePorts"


@in_virtual_time
async def test_pod_that_is_deleted_before_it_is_refused_just_goes() -> None:
    async with world() as here:
        await here.fleet()
        await bound(here, "lost", zone="nowhere")
        await here.delete("lost")
        await asyncio.sleep(3)
        assert await here.is_gone("lost")
