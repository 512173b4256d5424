"""Patches from files, and ``set image --local``, for which no server is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rollplane.apps.v1 import Deployment
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG, WEB, written
from tests.clients.cli.stand_in import StandIn

PATCH = "spec: {template: {spec: {containers: [{name: sidecar, image: 'log:1.0'}]}}}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_patch_from_a_file(cli: Cli, stand_in: StandIn, tmp_path: Path, encoding: str) -> None:
    await cli.ok("apply", "-f", written(tmp_path, WEB))
    path = tmp_path / "patch.yaml"
    path.write_bytes(PATCH.encode(encoding))
    assert await cli.ok("patch", "deploy/web", "--patch-file", str(path)) == "deployment.apps/web patched\n"
    web = await stand_in.get(Deployment, "web")
    assert [container.name for container in web.spec.template.spec.containers] == ["sidecar", "nginx"]


@pytest.fixture
def alone() -> Cli:
    """A command line without a server."""
    return Cli("127.0.0.1:1")


async def test_images_are_set_in_files(alone: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, WEB)
    line = ("set", "image", "-f", file, "--local")
    document = yaml.safe_load(await alone.ok(*line, "nginx=nginx:2", "-o", "yaml"))
    assert document["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
    assert await alone.ok(*line, "nginx=nginx:2") == "deployment.apps/web image updated\n"
    assert await alone.ok(*line, "nginx=nginx:1.7.9") == ""
    ran = await alone.run(*line, "nginx=nginx:2", "a=b", "c=d")
    assert (ran.code, ran.out) == (1, "deployment.apps/web image updated\n")
    assert ran.err == 'error: unable to find container named "a"\nerror: unable to find container named "c"\n'


async def test_what_has_no_pods_is_told(alone: Cli, tmp_path: Path) -> None:
    file = written(tmp_path, f"{CONFIG}---\n{WEB}")
    ran = await alone.run("set", "image", "-f", file, "--local", "*=a:2", "-o", "name")
    assert (ran.code, ran.out) == (1, "deployment.apps/web\n")
    assert ran.err == "error: configmap/settings the object is not a pod or does not have a pod template\n"
