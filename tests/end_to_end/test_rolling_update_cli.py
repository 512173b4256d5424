"""``rollplane rolling-update`` against an apiserver, controllers and a fleet, all behind real connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from rollplane.core.v1 import Pod, ReplicationController
from rollplane_apiserver.core import Role
from rollplane_client.objects import Client
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.codec import dumps
from rollplane_machinery.kinds import ApiObject
from tests.clients.cli.commands import Cli, Running
from tests.clients.python.plane import Plane, running_plane
from tests.end_to_end.rolling_updates import controller

FAST = ("--update-period=0s", "--poll-interval=0s")


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    """A served plane with controllers and two nodes."""
    async with running_plane() as plane, asyncio.TaskGroup() as tasks:
        manager = Manager(plane.in_process(Role.CONTROLLER), "manager", clock=plane.clock, random=Random(3))
        fleet = Fleet(plane.in_process(Role.NODE), FleetSettings(nodes=2), Profile("instant"), clock=plane.clock)
        running = [tasks.create_task(manager.run()), tasks.create_task(fleet.run())]
        await fleet.ready.wait()
        yield plane
        for task in running:
            task.cancel()


@pytest.fixture
def cli(plane: Plane) -> Cli:
    return Cli(plane.address)


@pytest.fixture
def client(plane: Plane) -> Client:
    return Client(plane.in_process())


async def settled(client: Client, one: ReplicationController) -> None:
    """Create the controller and wait until all its pods are ready."""
    await client.create(one)
    async with asyncio.timeout(20), client.watch(ReplicationController, "default") as events:
        async for event in events:
            if event.object.status.ready_replicas == one.spec.replicas:
                return


def written(folder: Path, *messages: ApiObject) -> str:
    """Write manifests into a file and return its path."""
    path = folder / "new.yaml"
    path.write_text("\n---\n".join(map(dumps, messages)))
    return str(path)


async def images(client: Client) -> list[str]:
    return sorted({pod.spec.containers[0].image for pod in await client.list(Pod, "default")})


async def test_file_mode_prints_kubectls_sentences(cli: Cli, client: Client, tmp_path: Path) -> None:
    await settled(client, controller("v1", "web:v1", 1, version="v1"))
    path = written(tmp_path, controller("v2", "web:v2", None, version="v2"))
    assert await cli.ok("rolling-update", "v1", "-f", path, *FAST) == (
        "Created v2\n"
        "Scaling up v2 from 0 to 1, scaling down v1 from 1 to 0 (keep 1 pods available, don't exceed 2 pods)\n"
        "Scaling v2 up to 1\n"
        "Scaling v1 down to 0\n"
        "Update succeeded. Deleting old controller: v1\n"
        'replicationcontroller "v1" rolling updated to "v2"\n'
    )


async def test_image_mode_ends_under_the_old_name(cli: Cli, client: Client) -> None:
    await settled(client, controller("web", "web:v1", 2))
    out = await cli.ok("rolling-update", "web", "--image=web:v2", *FAST)
    assert out.endswith('replicationcontroller "web" rolling updated\n')
    assert "Renaming web-" in out
    renamed = await client.get(ReplicationController, "default", "web")
    assert renamed.spec.replicas == 2


async def test_image_mode_with_a_name_ends_under_that(cli: Cli, client: Client) -> None:
    await settled(client, controller("web", "web:v1", 1))
    assert await cli.ok("rolling-update", "web", "web-2", "--image=web:v2", "-o", "name", *FAST) == (
        "replicationcontroller/web-2\n"
    )
    assert [one.metadata.name for one in await client.list(ReplicationController)] == ["web-2"]


async def test_ctrl_c_detaches_the_same_command_attaches_again(cli: Cli, client: Client) -> None:
    await settled(client, controller("web", "web:v1", 1))
    line = ("rolling-update", "web", "--image=web:404", *FAST)
    running = Running(cli, *line)
    await running.out.until("Scaling web-")
    left = await running.interrupt()
    assert "goes on without you" in left.err
    assert '"rollplane rolling-update web --rollback" turns it round.' in left.err
    again = Running(cli, *line)
    await again.out.until("Continuing update with existing controller web-")
    assert "resuming." in (await again.interrupt()).out
    out = await cli.ok("rolling-update", "web", "--rollback", *FAST)
    assert out.endswith('rolling updated to "web"\n')
    assert [one.metadata.name for one in await client.list(ReplicationController)] == ["web"]


async def test_update_that_cannot_go_on_fails_with_its_reason(cli: Cli, client: Client) -> None:
    await settled(client, controller("web", "web:v1", 1))
    ran = await cli.run("rolling-update", "web", "--image=web:404", "--timeout=1s", *FAST)
    assert (ran.code, ran.err) == (1, "error: timed out waiting for any update progress to be made\n")


async def test_dry_run_shows_both_sides_and_changes_nothing(cli: Cli, client: Client, tmp_path: Path) -> None:
    await settled(client, controller("v1", "web:v1", 1, version="v1"))
    path = written(tmp_path, controller("v2", "web:v2", version="v2"))
    before = await client.get(ReplicationController, "default", "v1")
    assert await cli.ok("rolling-update", "v1", "-f", path, "--dry-run") == "Rolling from:\nv1\nTo:\nv2\n"
    assert "image: web:v2" in await cli.ok("rolling-update", "v1", "-f", path, "--dry-run", "-o", "yaml")
    assert await client.list(ReplicationController) == [before]


ARGUMENTS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "section 4: empty label key": (
        ("web", "--image=x", "--deployment-label-key="),
        ["--deployment-label-key can not be empty"],
    ),
    "section 4: more than one filename": (
        ("web", "-f", "a", "-f", "b"),
        ["May only specify a single filename for new controller"],
    ),
    "section 4: neither file nor image": (("web",), ["Must specify --filename or --image for new controller"]),
    "section 4: both": (("web", "-f", "a", "--image=x"), ["--filename and --image can not both be specified"]),
    "section 4: with rollback": (
        ("web", "--rollback", "--image=x"),
        ["Don't specify --filename or --image on rollback"],
    ),
    "section 4: no controller": (("--image=x",), ["Must specify the controller to update"]),
    "section 4: all reported together": (
        ("-f", "a", "-f", "b", "--image=x", "--deployment-label-key="),
        [
            "--deployment-label-key can not be empty",
            "May only specify a single filename for new controller",
            "--filename and --image can not both be specified",
            "Must specify the controller to update",
        ],
    ),
}


@pytest.mark.parametrize(("words", "problems"), ARGUMENTS.values(), ids=ARGUMENTS)
async def test_wrong_arguments(words: tuple[str, ...], problems: list[str]) -> None:
    ran = await Cli("127.0.0.1:1").run("rolling-update", *words)
    assert ran.code == 1
    assert ran.err.splitlines() == [f"error: {problem}" for problem in problems]


async def test_file_must_hold_one_replication_controller(cli: Cli, tmp_path: Path) -> None:
    two = written(tmp_path, controller("a", "i"), controller("b", "i"))
    assert "specifies multiple items" in (await cli.run("rolling-update", "web", "-f", two)).err
    pod = Pod()
    pod.metadata.name = "p"
    other = written(tmp_path, pod)
    assert "does not specify a valid ReplicationController" in (await cli.run("rolling-update", "web", "-f", other)).err
    empty = written(tmp_path)
    assert "no objects passed" in (await cli.run("rolling-update", "web", "-f", empty)).err
    elsewhere = controller("v2", "i")
    elsewhere.metadata.namespace = "other"
    ran = await cli.run("rolling-update", "web", "-n", "default", "-f", written(tmp_path, elsewhere))
    assert "does not match the namespace" in ran.err
