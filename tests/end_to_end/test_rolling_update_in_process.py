"""Rolling updates of ReplicationControllers by the whole plane in virtual time, at kubectl's own pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from rollplane.core.v1 import Pod
from rollplane_machinery.api import RollBackRollingUpdate, RolloutState
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.rolling_update import BOOKKEEPING, RENAMED_FROM, STATE
from rollplane_rehearsal import run
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane
from tests.end_to_end.rolling_updates import (
    Census,
    by_file,
    by_image,
    census_of,
    controller,
    followed,
    followed_to_end,
    get,
    key,
    names,
    settled,
)

Story = Callable[[FleetPlane, Census], Coroutine[Any, Any, None]]

V1, V2, BAD = "web:v1", "web:v2", "web:404"


def on_a_plane(story: Story) -> None:
    """Run ``story`` on a plane of two nodes."""

    async def main() -> None:
        async with fleet_plane(2) as plane, census_of(plane) as census:
            await story(plane, census)

    run(main())


def images(pods: list[Pod]) -> list[str]:
    return [pod.spec.containers[0].image for pod in pods if not is_being_deleted(pod.metadata)]


def uids(pods: list[Pod]) -> set[str]:
    return {pod.metadata.uid for pod in pods if not is_being_deleted(pod.metadata)}


def test_file_mode_moves_pod_by_pod_and_deletes_the_old_controller() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("v1", V1, version="v1"))
        census.arm()
        began = plane.clock.now()
        ended = await followed_to_end(plane, by_file("v1", controller("v2", V2, None, version="v2")))
        assert (ended.state, ended.name) == (RolloutState.DONE, "v2")
        assert ended.told == [
            "Created v2",
            "Scaling up v2 from 0 to 3, scaling down v1 from 3 to 0 (keep 3 pods available, don't exceed 4 pods)",
            "Scaling v2 up to 1",
            "Scaling v1 down to 2",
            "Scaling v2 up to 2",
            "Scaling v1 down to 1",
            "Scaling v2 up to 3",
            "Scaling v1 down to 0",
            "Update succeeded. Deleting old controller: v1",
            'replicationcontroller "v1" rolling updated to "v2"',
        ]
        # Three rounds of a minute each, and six resizes of at least three seconds.
        assert 198 <= plane.clock.now() - began <= 202
        assert (census.most, census.least_ready) == (4, 3)
        assert await names(plane) == {"v2"}
        assert not set((await get(plane, "v2")).metadata.annotations) & set(BOOKKEEPING)
        assert images(await plane.pods()) == [V2] * 3

    on_a_plane(story)


def test_image_mode_renames_and_every_pod_survives_the_rename() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        before = uids(await settled(plane, controller("web", V1)))
        census.arm()
        ended = await followed_to_end(plane, by_image("web", V2))
        assert (ended.state, ended.name) == (RolloutState.DONE, "web")
        temporary = ended.told[0].removeprefix("Created ")
        assert temporary.startswith("web-")
        assert ended.told[-3:] == [
            "Update succeeded. Deleting old controller: web",
            f"Renaming {temporary} to web",
            'replicationcontroller "web" rolling updated',
        ]
        assert await names(plane) == {"web"}
        web = await get(plane, "web")
        assert web.spec.selector["deployment"] == temporary.removeprefix("web-")
        assert set(web.metadata.annotations) & set(BOOKKEEPING) == {RENAMED_FROM}
        await _adopted(plane, web.metadata.uid)
        pods = await plane.pods()
        assert images(pods) == [V2] * 3
        assert all(pod.metadata.name.startswith(temporary) for pod in pods)
        assert not uids(pods) & before
        assert (census.most, census.least_ready) == (4, 3)

    on_a_plane(story)


async def _adopted(plane: FleetPlane, uid: str) -> None:
    async def holds() -> bool:
        return all(uid in {owner.uid for owner in pod.metadata.owner_references} for pod in await plane.pods())

    await plane.until(holds, 10, "the pods are never adopted")


def test_image_mode_again_distinguishes_by_a_new_hash() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("web", V1))
        await followed_to_end(plane, by_image("web", V2))
        first = (await get(plane, "web")).spec.selector["deployment"]
        ended = await followed_to_end(plane, by_image("web", V1))
        assert ended.state is RolloutState.DONE
        assert (await get(plane, "web")).spec.selector["deployment"] != first
        assert images(await plane.pods()) == [V1] * 3

    on_a_plane(story)


def test_adding_the_label_restarts_no_pod() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        before = await settled(plane, controller("web", V1))
        census.arm()
        update = await plane.api.start_rolling_update(by_image("web", V2))

        async def labelled() -> bool:
            return "deployment" in (await get(plane, "web")).spec.selector

        await plane.until(labelled, 30, "the selector never gets the label")
        await asyncio.sleep(30)
        pods = [pod for pod in await plane.pods() if images([pod]) == [V1]]
        assert uids(pods) == uids(before)
        assert {pod.metadata.labels["deployment"][-5:] for pod in pods} == {"-orig"}
        assert (await followed(plane, update)).state is RolloutState.DONE

    on_a_plane(story)


def test_bad_image_stops_after_the_timeout_with_the_old_controller_full() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        before = await settled(plane, controller("v1", V1, version="v1"))
        census.arm()
        began = plane.clock.now()
        ended = await followed_to_end(plane, by_file("v1", controller("v2", BAD, version="v2")))
        assert ended.state is RolloutState.FAILED
        assert ended.told[-1] == "timed out waiting for any update progress to be made"
        assert 300 <= plane.clock.now() - began <= 440
        assert [(await get(plane, name)).spec.replicas for name in ("v1", "v2")] == [3, 1]
        assert uids(before) <= uids(await plane.pods())
        assert (census.most, census.least_ready) == (4, 3)

        async def told() -> bool:
            return await plane.messages("RollingUpdateStopped") == [ended.told[-1]]

        await plane.until(told, 10, "no event says that the update has stopped")

    on_a_plane(story)


def test_rollback_of_a_stopped_update_gives_the_old_controller_its_size_back() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("web", V1))
        census.arm()
        failed = await followed_to_end(plane, by_image("web", BAD))
        assert failed.state is RolloutState.FAILED
        ended = await followed_to_end(plane, RollBackRollingUpdate(key("web")))
        assert (ended.state, ended.name) == (RolloutState.DONE, "web")
        assert await names(plane) == {"web"}
        assert images(await plane.pods()) == [V1] * 3
        web = await get(plane, "web")
        assert web.spec.selector["deployment"].endswith("-orig")
        assert STATE not in web.metadata.annotations
        assert (census.most, census.least_ready) == (4, 3)

    on_a_plane(story)


def test_rollback_half_way_turns_the_running_update_round() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("v1", V1, version="v1"))
        census.arm()
        update = await plane.api.start_rolling_update(by_file("v1", controller("v2", V2, version="v2")))
        watching = asyncio.get_running_loop().create_task(followed(plane, update))
        await _size(plane, "v1", 1)
        ended = await followed_to_end(plane, RollBackRollingUpdate(key("v1")))
        assert ended.told[-1] == 'replicationcontroller "v2" rolling updated to "v1"'
        assert (await watching).told[-1] == "the update of v1 to v2 was turned round"
        assert await names(plane) == {"v1"}
        assert images(await plane.pods()) == [V1] * 3
        assert (census.most, census.least_ready) == (4, 3)

    on_a_plane(story)


async def _size(plane: FleetPlane, name: str, replicas: int) -> None:
    async def holds() -> bool:
        return (await get(plane, name)).spec.replicas == replicas

    await plane.until(holds, 600, f"{name} never has the size {replicas}")


def test_client_that_goes_away_stops_nothing_and_may_come_back() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("web", V1))
        update = await plane.api.start_rolling_update(by_image("web", V2))
        async with plane.api.watch_rolling_update(update.target, update.source, update.revision) as steps:
            async for _step in steps:
                break
        await asyncio.sleep(70)
        again = await plane.api.start_rolling_update(by_image("web", V2))
        name = update.target.name
        assert again.target == update.target
        assert again.messages == (
            f"Found existing update in progress ({name}), resuming.",
            f"Continuing update with existing controller {name}.",
        )
        assert (await followed(plane, again)).state is RolloutState.DONE
        assert images(await plane.pods()) == [V2] * 3

    on_a_plane(story)


def test_controller_stopped_again_and_again_resumes_at_every_point() -> None:
    async def story(plane: FleetPlane, census: Census) -> None:
        await settled(plane, controller("web", V1))
        census.arm()
        update = await plane.api.start_rolling_update(by_image("web", V2))
        following = asyncio.get_running_loop().create_task(followed(plane, update))
        for _ in range(1, 30):
            await asyncio.sleep(7.3)
            await plane.faults.stop_controller()
            await plane.faults.add_controller()
        assert (await following).state is RolloutState.DONE
        assert await names(plane) == {"web"}
        await _adopted(plane, (await get(plane, "web")).metadata.uid)
        assert images(await plane.pods()) == [V2] * 3
        assert (census.most, census.least_ready) == (4, 3)

    on_a_plane(story)
