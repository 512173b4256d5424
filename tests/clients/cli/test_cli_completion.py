"""Shell completion: what is offered where, and bash itself with the script."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from rollplane_cli.completion.places import place_at
from rollplane_cli.flags import flags_of
from rollplane_cli.registry import commands
from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import CONFIG, WEB
from tests.clients.cli.stand_in import StandIn

WORDS: dict[str, tuple[str, list[str], list[str]]] = {
    "nothing yet": ("", ["get", "rollout", "completion"], ["rollout status", "__complete", "status"]),
    "a group": ("rollout ", ["status", "history", "undo", "plot"], ["rollout", "ready"]),
    "behind a global flag": ("-n default rollout ", ["status"], ["get"]),
    "flags": ("get --", ["--watch", "--output", "--namespace"], ["--timeout"]),
    "flags of a group's command": ("rollout undo --to", ["--to-revision"], ["--watch"]),
    "values of a flag": ("get -o ", ["wide", "json"], ["pods"]),
    "values behind an equals sign": ("get --output=", ["--output=wide"], ["wide"]),
    "values as bash splits them": ("get --output = ", ["wide"], ["pods"]),
    "types": ("get ", ["pods", "deployments", "leases"], ["po"]),
    "types that have rollouts": ("rollout status ", ["deployments", "daemonsets"], ["pods", "replicasets"]),
    "types behind flags": ("get -o wide ", ["pods"], ["wide"]),
    "types with a slash": ("get deploy/web ", ["pod/", "deployment/"], ["pods"]),
    "event types": ("events --types ", ["Normal", "Warning"], []),
    "the object of events": ("events --for ", ["pod/"], ["pods"]),
    "shells": ("completion ", ["bash", "zsh", "fish"], ["(bash"]),
    "no second shell": ("completion bash ", [], ["bash"]),
    "no words at all": ("events ", [], ["pods"]),
    "an unknown command": ("nonsense ", [], ["get"]),
}


@pytest.mark.parametrize(("line", "offered", "others"), WORDS.values(), ids=WORDS)
def test_what_is_offered(line: str, offered: list[str], others: list[str]) -> None:
    words = set(place_at([*line.split(), ""] if line.endswith(" ") or not line else line.split()).words)
    assert set(offered) <= words
    assert not set(others) & words


NAMES: dict[str, tuple[str, list[str], str]] = {
    "of a type": ("get pods ", ["Pod"], ""),
    "of several types": ("delete deploy,rs ", ["Deployment", "ReplicaSet"], ""),
    "behind a slash": ("rollout status deploy/w", ["Deployment"], "deploy/"),
    "nodes": ("drain --force ", ["Node"], ""),
    "simulated pods": ("sim crash ", ["Pod"], ""),
    "old controllers": ("rolling-update ", ["ReplicationController"], ""),
    "namespaces": ("get pods -n ", ["Namespace"], ""),
    "namespaces behind an equals sign": ("get --namespace=", ["Namespace"], "--namespace="),
    "the object of events": ("events --for pod/", ["Pod"], "pod/"),
    "containers are not known": ("set image deploy/web nginx", [], ""),
    "of no type": ("get nonsense ", [], ""),
}


@pytest.mark.parametrize(("line", "kinds", "prefix"), NAMES.values(), ids=NAMES)
def test_whose_names_are_asked_for(line: str, kinds: list[str], prefix: str) -> None:
    place = place_at([*line.split(), ""] if line.endswith(" ") else line.split())
    assert ([kind.name for kind in place.names_of], place.prefix) == (kinds, prefix)


@pytest.mark.parametrize("name", commands())
def test_every_command_offers_its_flags(name: str) -> None:
    wanted = {f"--{flag.name}" for flag in flags_of(commands()[name].load().flags)}
    assert wanted == set(place_at([*name.split(), "--"]).words)


async def test_names_come_from_the_server(cli: Cli, stand_in: StandIn) -> None:
    await cli.ok("create", "-f", "-", input=WEB + "---\n" + CONFIG)
    await stand_in.nodes(["node-0", "node-1"])
    assert await cli.ok("__complete", "--", "get", "deploy", "") == "web\n"
    assert await cli.ok("__complete", "--", "get", "deploy/w") == "deploy/web\n"
    assert await cli.ok("__complete", "--", "drain", "node-1", "") == "node-0\n"
    assert await cli.ok("__complete", "--", "get", "cm", "-n", "kube-system", "") == ""
    assert await cli.ok("__complete", "--", "get", "cm", "-n", "def") == "default\n"
    assert await cli.ok("__complete", "--", "get", "dep") == "deployments\n"


async def test_a_server_that_is_away_offers_nothing() -> None:
    ran = await Cli("127.0.0.1:1").run("__complete", "--", "get", "pods", "")
    assert (ran.code, ran.out) == (1, "")


async def test_the_scripts_and_no_others(cli: Cli) -> None:
    for shell in ("bash", "zsh", "fish"):
        script = await cli.ok("completion", shell)
        assert "__complete" in script
        if found := shutil.which(shell):
            process = await asyncio.create_subprocess_exec(found, "-n", stdin=asyncio.subprocess.PIPE)
            await process.communicate(script.encode())
            assert process.returncode == 0
    ran = await cli.run("completion", "tcsh")
    assert ran.code == 1
    assert ran.err.startswith('error: Unsupported shell type "tcsh".\n')
    assert "__complete" not in await cli.ok("--help")


COMPLETED: dict[str, list[str]] = {
    "rollplane rollout pa": ["pause"],
    "rollplane -n default roll": ["rolling-update", "rollout"],
    "rollplane get --show": ["--show-labels"],
    "rollplane get -o ya": ["yaml"],
    "rollplane get --output = js": ["json"],
    "rollplane -n def": ["default"],
    "rollplane get deploym": ["deployments"],
    "rollplane rollout status deployment/": ["deployment/web"],
    "rollplane why deploy w": ["web"],
}

SIMULATED = """
while IFS= read -r line; do
    COMP_WORDS=($line)
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    COMPREPLY=()
    _rollplane
    echo "${COMPREPLY[*]}"
done
"""


async def test_bash_completes_command_lines(cli: Cli, tmp_path: Path) -> None:
    """bash with the script, its words set as readline sets them; one program for all lines, as each asks a server."""
    await cli.ok("create", "-f", "-", input=WEB)
    script = tmp_path / "rollplane.bash"
    script.write_text(await cli.ok("completion", "bash"))
    program = tmp_path / "rollplane"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m rollplane_cli "$@"\n')
    program.chmod(0o755)
    registered = "complete -p rollplane"
    process = await asyncio.create_subprocess_exec(
        "bash",
        "--norc",
        "-c",
        f". {script}; {registered}\n{SIMULATED}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **cli.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate("".join(f"{line}\n" for line in COMPLETED).encode())
    first, *replies = out.decode().splitlines()
    assert first == "complete -o default -F _rollplane rollplane"
    answered = {line: reply.split() for line, reply in zip(COMPLETED, replies, strict=True)}
    assert answered == COMPLETED, json.dumps(answered)
