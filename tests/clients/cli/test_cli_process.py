"""The command as a process of its own: exit codes, streams, and what it does not import."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from rollplane.core.v1 import ConfigMap
from rollplane.meta.v1 import ObjectMeta
from rollplane_cli.flags import flags_of
from rollplane_cli.registry import commands, is_group
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG
from tests.clients.cli.stand_in import StandIn
from tests.clients.python.plane import Plane


async def start(plane: Plane, *line: str) -> Process:
    environ = {"ROLLPLANE_SERVER": plane.address}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rollplane_cli", *line, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environ
    )


async def test_output_errors_and_exit_code(plane: Plane) -> None:
    process = await start(plane, "apply", "-f", "-")
    out, err = await process.communicate(CONFIG.encode())
    assert (process.returncode, out, err) == (0, b"configmap/settings created\n", b"")
    process = await start(plane, "get", "cm", "none")
    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err == b'Error from server (NotFound): configmaps "none" not found\n'


async def test_ctrl_c(plane: Plane, cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    process = await start(plane, "get", "cm", "-w", "-o", "name")
    assert process.stdout is not None
    assert await process.stdout.readline() == b"configmap/settings\n"
    process.send_signal(signal.SIGINT)
    _, err = await process.communicate()
    assert (process.returncode, err) == (130, b"")


async def test_a_reader_that_leaves(plane: Plane, cli: Cli) -> None:
    await cli.ok("create", "-f", "-", input=CONFIG)
    command = f"{sys.executable} -m rollplane_cli get cm -w -o name --server {plane.address} | head -n 1"
    process = await asyncio.create_subprocess_shell(command, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"configmap/settings\n"
    await cli.ok("create", "-f", "-", input=CONFIG.replace("settings", "more"))
    _, err = await process.communicate()
    assert err == b""


INTERRUPTING = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from rollplane_cli.__main__ import run
sys.argv[1:] = ["get", "nodes"]
sys.exit(run())
"""


@pytest.mark.parametrize(
    "module", ["rollplane_cli.main", "rollplane_cli.session", "asyncio", "rollplane_cli.commands.get"]
)
async def test_ctrl_c_while_it_is_loaded_is_answered_as_later(module: str) -> None:
    """Python would show a traceback, or complain of what was never awaited."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INTERRUPTING.format(module=module), stdout=PIPE, stderr=PIPE
    )
    assert (await process.communicate(), process.returncode) == ((b"", b""), 130)


LIGHT = {
    "version": ("grpc", "google.protobuf", "yaml", "rich", "asyncio"),
    "--help": ("grpc", "google.protobuf", "yaml", "rich", "asyncio"),
}


@pytest.mark.parametrize(("line", "heavy"), LIGHT.items(), ids=LIGHT)
async def test_what_needs_no_server_starts_without_its_weight(line: str, heavy: tuple[str, ...]) -> None:
    code = (
        "import sys; from rollplane_cli.main import run; assert run(sys.argv[1:2]) == 0; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, line, stdout=PIPE)
    out, _ = await process.communicate()
    assert out.splitlines()[-1] == b"[]"


async def test_a_table_is_read_without_yaml() -> None:
    code = (
        "import sys; import rollplane_cli.main, rollplane_cli.commands.get, rollplane_client.grpc_api; "
        "print([name for name in ('yaml', 'rollplane_machinery.codec', 'importlib.metadata') if name in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=PIPE)
    out, _ = await process.communicate()
    assert out == b"[]\n"


async def test_version(cli: Cli) -> None:
    assert re.fullmatch(r"Client Version: v\d+\.\d+\.\d+\n", await cli.ok("version"))
    assert re.fullmatch(
        r'\{\s*"clientVersion": \{\s*"gitVersion": "v[\d.]+"\s*\}\s*\}\n', await cli.ok("version", "-ojson")
    )
    assert (await cli.ok("version", "--client", "-oyaml")).startswith("clientVersion:\n  gitVersion: v")


@pytest.mark.parametrize("name", commands())
async def test_every_command_tells_how_it_is_written(cli: Cli, name: str) -> None:
    text = await cli.ok(*name.split(), "--help")
    command = commands()[name].load()
    assert text.startswith(command.summary)
    assert f"Usage: rollplane {name}" in text
    assert all(f"--{flag.name}" in text for flag in flags_of(command.flags))
    shorts = [flag.short for flag in flags_of(command.flags) if flag.short]
    names = [flag.name for flag in flags_of(command.flags)]
    assert len(set(shorts)) == len(shorts)
    assert len(set(names)) == len(names)


async def test_the_program_names_every_command(cli: Cli) -> None:
    text = await cli.ok("--help")
    assert all(f"  {name}  " in text for name in commands())


def test_the_documentation_names_every_command() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
    for name in commands():
        first, _, second = name.partition(" ")
        assert f"`{name}" in page or (f"`{first} " in page and f"`{second}" in page), name


async def test_help_tells_values_and_defaults(cli: Cli) -> None:
    text = await cli.ok("up", "--help")
    assert "How to tell what happens to the plane: text, json (default text)" in text
    assert "How many simulated nodes, 0 for none; when not given as many as the pools have, or 10" in text
    assert text.count("(default .rollplane here)") == 1
    assert "0s is for ever (default 60s)" in await cli.ok("wait-ready", "--help")
    # What the flag's own words say is not said twice, and a switch has no value to name.
    assert (await cli.ok("get", "--help")).count("wide, yaml, json, name") == 1
    assert "(default" not in await cli.ok("rollout", "status", "--help")


async def test_a_group_names_its_commands(cli: Cli) -> None:
    text = await cli.ok("rollout", "--help")
    assert text.startswith("Usage: rollplane rollout COMMAND [flags]\n")
    assert all((f"  {name}  " in text) == name.startswith("rollout ") for name in commands())
    assert await cli.ok("help", "rollout", "status") == await cli.ok("rollout", "status", "--help")


async def test_what_others_wrote_does_not_steer_the_terminal(cli: Cli, stand_in: StandIn) -> None:
    hostile = "\x1b]0;owned\x07\x1b[31mred\x9b2J"
    await stand_in.create(ConfigMap(metadata=ObjectMeta(name="a", namespace="default"), data={"text": hostile}))
    described = await cli.ok("describe", "cm", "a")
    assert "^[]0;owned^G^[[31mred\\x9b2J" in described
    assert described.replace("\n", "").isprintable()
    ran = await cli.run("get", "pods", "\x1b[31m\r")
    assert "^[[31m\\r" in ran.err


_WORDS = re.compile(r"[`\"$] ?rollplane ([a-z-]+)(?: ([a-z]+))?")
ROOT = Path(__file__).parents[3]
TOLD_IN = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
    *(ROOT / "clients").rglob("*.py"),
    *(ROOT / "machinery" / "rollplane_printing").rglob("*.py"),
]


@pytest.mark.parametrize("path", TOLD_IN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_told_of_exists(path: Path) -> None:
    for first, second in _WORDS.findall(path.read_text()):
        assert first in commands() or f"{first} {second}" in commands() or is_group(first) or first == "help", first
