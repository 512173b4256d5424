"""Stories told by a plane of processes in real time, a few at once, each in a namespace of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from rollplane_client.grpc_api import connect
from rollplane_client.objects import Client
from rollplane_machinery.api import Api, Key, RolloutState, WatchFilter, WatchQuery
from rollplane_page.recorder import KINDS, Recorder
from rollplane_page.recording import Recording
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings
from rollplane_rehearsal.manifests import read
from rollplane_rehearsal.rehearse.run import key_of
from rollplane_rehearsal.scenario.steps import Step, read_step
from tests.agreement.course import CALM_SECONDS, Course, course_of
from tests.agreement.stories import NODES, PROFILE, Told

AT_ONCE = 2
"""More would take the processors from each other, and time with them."""


async def told_for_real(stories: Sequence[Told], data: Path) -> list[Course]:
    """Return the course of each story."""
    turns = asyncio.Semaphore(AT_ONCE)
    settings = PlaneSettings(data, port=0, nodes=NODES, profile=str(PROFILE))
    async with EmbeddedPlane(settings) as plane, connect(plane.address, name="agreement") as api:
        recorder = Recorder(Recording("agreement"), time.time())
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(api, recorder))
            spans = await asyncio.gather(*(_tell(api, each, turns) for each in stories))
            await asyncio.sleep(CALM_SECONDS)
            watching.cancel()
        recording = recorder.finish(time.time())
    return [
        course_of(recording.counted_from(began - recorder.began, 2.0), told.workload, end - began)
        for told, (began, end) in zip(stories, spans, strict=True)
    ]


async def _watch(api: Api, recorder: Recorder) -> None:
    query = WatchQuery(tuple(WatchFilter(kind) for kind in KINDS), send_initial_state=True)
    async with api.watch(query) as batches:
        async for batch in batches:
            recorder.take(batch, time.time())


async def _tell(api: Api, told: Told, turns: asyncio.Semaphore) -> tuple[float, float]:
    """Tell one story when it is its turn; return when its first step was taken, and when its rollout was done."""
    async with turns:
        return await _told(Client(api), api, told)


async def _told(client: Client, api: Api, told: Told) -> tuple[float, float]:
    key = key_of(told.workload)
    for manifest in read(told.manifests, told.name):
        await client.apply_manifest(manifest)
    await _until_done(api, key)
    await asyncio.sleep(2 * CALM_SECONDS)  # old news is no news of the change
    began = time.time()
    for step in map(read_step, told.script):
        await asyncio.sleep(max(0.0, began + step.at - time.time()))
        await _take(client, key, step)
    await _until_done(api, key)
    return began, time.time()


async def _until_done(api: Api, key: Key) -> None:
    async with api.rollout_status(key) as looks:
        states = [look.state async for look in looks]
    assert states[-1] is RolloutState.DONE


async def _take(client: Client, key: Key, step: Step) -> None:
    message, name = key.kind.message, (key.namespace, key.name)
    if step.action == "set image":
        _, container, image = step.value
        await client.set_image(message, *name, {container: image})
    elif step.action == "scale":
        await client.scale(message, *name, step.value[1])
    elif step.action == "undo":
        await client.undo(message, *name)
    elif step.action == "pause":
        await client.pause(message, *name)
    else:
        assert step.action == "resume", step
        await client.resume(message, *name)
