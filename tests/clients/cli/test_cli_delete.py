"""``delete``: whom it hits, how it cascades, and that it waits."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Pod
from rollplane_machinery.metadata import is_being_deleted
from tests.clients.cli.commands import Cli, Running
from tests.clients.cli.manifests import CONFIG, WEB
from tests.clients.cli.stand_in import StandIn

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web-1, labels: {app: web}}
spec: {nodeName: node-1, containers: [{name: c, image: "app:1"}]}
"""


async def test_by_selector(cli: Cli) -> None:
    labelled = CONFIG.replace("settings", "one, labels: {app: web}")
    await cli.ok("create", "-f", "-", input=labelled + "---\n" + CONFIG)
    assert await cli.ok("delete", "cm", "-l", "app=web") == 'configmap "one" deleted\n'
    assert await cli.ok("get", "cm", "-o", "name") == "configmap/settings\n"


async def test_all_of_a_kind(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG.replace("settings", "one") + "---\n" + CONFIG)
    assert await cli.ok("delete", "cm", "--all") == 'configmap "one" deleted\nconfigmap "settings" deleted\n'
    ran = await cli.run("delete", "cm", "--all")
    assert (ran.code, ran.out, ran.err) == (0, "", "No resources found\n")


async def test_from_a_file(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    assert await cli.ok("delete", "-f", "-", input=CONFIG) == 'configmap "settings" deleted\n'


async def test_what_is_absent_is_told_and_the_rest_deleted(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    ran = await cli.run("delete", "cm", "none", "settings")
    assert (ran.code, ran.out) == (1, 'configmap "settings" deleted\n')
    assert ran.err == 'Error from server (NotFound): configmaps "none" not found\n'
    assert await cli.ok("delete", "cm", "none", "--ignore-not-found") == ""


async def test_a_dry_run_deletes_nothing(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    assert await cli.ok("delete", "cm", "settings", "--dry-run=client") == 'configmap "settings" deleted (dry run)\n'
    server = await cli.ok("delete", "cm", "settings", "--dry-run=server")
    assert server == 'configmap "settings" deleted (server dry run)\n'
    assert await cli.ok("delete", "cm", "settings", "-o", "name") == "configmap/settings\n"


FINALIZERS = {"orphan": "orphan", "foreground": "foregroundDeletion"}


@pytest.mark.parametrize(("cascade", "finalizer"), FINALIZERS.items(), ids=FINALIZERS)
async def test_cascade_leaves_the_rest_to_the_collector(
    cli: Cli, stand_in: StandIn, cascade: str, finalizer: str
) -> None:
    await cli.ok("create", "-f", "-", input=WEB)
    await cli.ok("delete", "deploy", "web", f"--cascade={cascade}", "--wait=false")
    web = await stand_in.get(Deployment, "web")
    assert list(web.metadata.finalizers) == [finalizer]
    assert is_being_deleted(web.metadata)


async def test_it_waits_until_the_object_is_gone(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=POD + "---\n" + POD.replace("web-1", "web-2"))
    command = Running(cli, "delete", "pod", "web-1", "web-2")
    await command.out.until('pod "web-2" deleted')
    assert not command.task.done()
    for name in ("web-1", "web-2"):
        await stand_in.remove(await stand_in.get(Pod, name))
    assert (await command.end()).code == 0


async def test_a_namesake_is_not_waited_for(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=POD)
    command = Running(cli, "delete", "pod", "web-1")
    await command.out.until("deleted")
    await stand_in.remove(await stand_in.get(Pod, "web-1"))
    await cli.ok("create", "-f", "-", input=POD)
    assert (await command.end()).code == 0
    assert (await stand_in.get(Pod, "web-1")).metadata.name == "web-1"


async def test_it_waits_no_longer_than_told(cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=POD)
    ran = await cli.run("delete", "pod", "web-1", "--timeout=50ms")
    assert (ran.code, ran.err) == (1, "error: timed out waiting for the condition\n")


GRACES: dict[str, int] = {"": 30, "--grace-period=7": 7, "--now": 1, "--grace-period=0": 1}


@pytest.mark.parametrize(("flag", "seconds"), GRACES.items(), ids=GRACES)
async def test_pods_get_time_to_end(cli: Cli, stand_in: StandIn, flag: str, seconds: int) -> None:
    await cli.ok("create", "-f", "-", input=POD)
    await cli.ok("delete", "pod", "web-1", "--wait=false", *filter(None, [flag]))
    assert (await stand_in.get(Pod, "web-1")).metadata.deletion_grace_period_seconds == seconds


async def test_force_removes_a_pod_at_once_and_warns(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=POD)
    ran = await cli.run("delete", "pod", "web-1", "--force", "--grace-period=0")
    assert (ran.code, ran.out) == (0, 'pod "web-1" force deleted\n')
    assert ran.err.startswith("Warning: Immediate deletion does not wait")
    assert await stand_in.list(Pod) == []
    assert await stand_in.list(ConfigMap) == []
