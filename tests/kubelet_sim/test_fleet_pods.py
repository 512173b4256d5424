"""The fleet's pods on a real core: their lives from the watch to the write, and back."""

from __future__ import annotations

import asyncio

from rollplane_machinery.api import Delete, UpdateStatus
from tests.kubelet_sim.fleets import is_ready, world
from tests.kubelet_sim.virtual_time import in_virtual_time


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
