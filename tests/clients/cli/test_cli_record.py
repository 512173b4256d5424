"""``--record``: history shows each command as kubectl 1.20 wrote it, under our name."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import WEB, written
from tests.clients.cli.stand_in import StandIn

CAUSE = "kubernetes.io/change-cause"
DEPRECATED = "Flag --record has been deprecated, --record will be removed in the future\n"

CHANGES: dict[str, tuple[list[str], str, str]] = {
    "apply": (["apply", "-f", "FILE", "--record"], "configured", "rollplane apply --filename=FILE --record=true"),
    "scale": (
        ["scale", "--record", "deploy/web", "--replicas", "5"],
        "scaled",
        "rollplane scale deploy/web --record=true --replicas=5",
    ),
    "patch": (
        ["patch", "deploy", "web", "-p", '{"spec":{"paused":true}}', "--record"],
        "patched",
        'rollplane patch deploy web --patch={"spec":{"paused":true}} --record=true',
    ),
    "set image": (
        ["-n", "default", "set", "image", "deploy/web", "nginx=nginx:2", "--record"],
        "image updated",
        "rollplane set image deploy/web nginx=nginx:2 --namespace=default --record=true",
    ),
}


async def cause(stand_in: StandIn) -> str:
    return (await stand_in.get(Deployment, "web")).metadata.annotations.get(CAUSE, "")


@pytest.mark.parametrize(("line", "verb", "expected"), CHANGES.values(), ids=CHANGES)
async def test_changes(cli: Cli, stand_in: StandIn, tmp_path: Path, line: list[str], verb: str, expected: str) -> None:
    file = written(tmp_path, WEB)
    await cli.ok("apply", "-f", file)
    ran = await cli.run(*(word.replace("FILE", file) for word in line))
    assert (ran.code, ran.out, ran.err) == (0, f"deployment.apps/web {verb}\n", DEPRECATED)
    assert await cause(stand_in) == expected.replace("FILE", file)


async def test_creation_is_the_first_revision(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    ran = await cli.run("create", "-f", file, "--record")
    assert (ran.code, ran.out, ran.err) == (0, "deployment.apps/web created\n", DEPRECATED)
    await stand_in.replica_set("web", "a")
    await cli.run("set", "image", "deploy/web", "nginx=nginx:1.9.1", "--record")
    await stand_in.replica_set("web", "b")
    assert await cli.ok("rollout", "history", "deploy/web") == (
        "deployment.apps/web \n"
        "REVISION  CHANGE-CAUSE\n"
        f"1         rollplane create --filename={file} --record=true\n"
        "2         rollplane set image deploy/web nginx=nginx:1.9.1 --record=true\n"
        "\n"
    )


async def test_what_apply_records_is_part_of_what_was_applied(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    await cli.run("apply", "-f", file, "--record")
    assert await cause(stand_in) == f"rollplane apply --filename={file} --record=true"
    assert await cli.ok("apply", "-f", file) == "deployment.apps/web configured\n"
    assert await cause(stand_in) == ""


async def test_edit_records_with_the_change_and_only_then(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    await cli.ok("create", "-f", written(tmp_path, WEB))
    ran = await cli.run("edit", "deploy/web", "--record", EDITOR="true")
    assert (ran.err, await cause(stand_in)) == (f"{DEPRECATED}Edit cancelled, no changes made.\n", "")
    await cli.run("edit", "deploy/web", "--record", EDITOR="sed -i s/1.7.9/1.9.1/")
    assert await cause(stand_in) == "rollplane edit deploy/web --record=true"


async def test_nothing_is_recorded_unasked(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    ran = await cli.run("create", "-f", written(tmp_path, WEB), "--record=false")
    assert (ran.code, await cause(stand_in)) == (0, "")


@pytest.mark.parametrize("line", ["delete deploy/web", "rollout undo deploy/web", "rollout restart deploy/web"])
async def test_commands_that_kubectl_never_recorded(cli: Cli, line: str) -> None:
    ran = await cli.run(*line.split(), "--record")
    assert ran.err.startswith("error: unknown flag: --record\n")
