"""The recorded session, replayed with the kubectl that it was recorded with, against our gateway."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
import yaml

from rollplane_apiserver.core import ADMIN
from rollplane_plane.kubeconfig_file import kubeconfig
from tests.clients.cli.commands import Ran
from tests.clients.cli.replay import RECORDED_WITH, LateClock, Replay, write_manifests
from tests.clients.cli.stand_in import StandIn
from tests.clients.cli.transcript import Entry, normalized, read_transcript
from tests.clients.real.conftest import had
from tests.clients.tools.tool import Tool
from tests.gateway.serving import serving

RECORDED_BY = "1.32"
ENTRIES = {f"{entry.number} {entry.command}": entry for entry in read_transcript()}
SECONDS = 30


class Kubectl:
    """kubectl in a folder that holds the record's files, its kubeconfig and its cache."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self._tool = tool
        self._folder = folder

    async def run(self, *line: str, **environ: str) -> Ran:
        return await (await self.start(*line, **environ)).end()

    async def start(self, *line: str, **environ: str) -> Started:
        home = {"HOME": str(self._folder), "KUBECONFIG": str(self._folder / "kubeconfig"), "PATH": "/usr/bin:/bin"}
        program = self._folder / "kubectl"  # what --record writes down is the program's own name
        return Started(
            await asyncio.create_subprocess_exec(
                program, *line, cwd=self._folder, env={**home, **environ}, stdout=PIPE, stderr=PIPE
            )
        )


class Started:
    """A command that runs."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._first = b""

    async def begun(self) -> None:
        assert self._process.stdout is not None
        async with asyncio.timeout(SECONDS):
            self._first = await self._process.stdout.readline()

    async def end(self) -> Ran:
        async with asyncio.timeout(SECONDS):
            out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return Ran(self._process.returncode, (self._first + out).decode(), err.decode())


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Ran]:
    """What each command came to; the session is replayed once."""
    return asyncio.run(_replay(had("kubectl", RECORDED_BY), tmp_path_factory.mktemp("session")))


async def _replay(tool: Tool, folder: Path) -> dict[int, Ran]:
    write_manifests(folder)
    (folder / "kubectl").symlink_to(tool.path)
    clock = LateClock()
    async with serving(clock=clock, settings=RECORDED_WITH) as served:
        (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(served.url, "replay")))
        world = StandIn(served.core.as_identity(ADMIN))
        return await Replay(Kubectl(tool, folder), world, clock).run()


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_kubectl_prints_what_it_printed(entry: Entry, replayed: dict[int, Ran]) -> None:
    ran = replayed[entry.number]
    assert normalized(ran.out) == normalized(entry.out)
    assert ran.err == entry.err
    assert ran.code == entry.code
