"""A type without a name: where kubectl takes that for all its objects, and what it says when there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.cli.commands import Cli
from tests.clients.cli.manifests import WEB, written
from tests.clients.cli.stand_in import StandIn

TWO = WEB + "---\n" + WEB.replace("name: web", "name: zoo")


@pytest.mark.parametrize(("verb", "done"), [("restart", "restarted"), ("pause", "paused")])
async def test_verbs(cli: Cli, tmp_path: Path, verb: str, done: str) -> None:
    await cli.ok("apply", "-f", written(tmp_path, TWO))
    told = await cli.ok("rollout", verb, "deployment")
    assert told == f"deployment.apps/web {done}\ndeployment.apps/zoo {done}\n"


async def test_resume_history_status_undo_and_edit(cli: Cli, stand_in: StandIn, tmp_path: Path) -> None:
    await cli.ok("apply", "-f", written(tmp_path, TWO))
    await cli.ok("rollout", "pause", "deployment")
    assert (await cli.ok("rollout", "resume", "deploy")).count(" resumed\n") == 2
    for name in ("web", "zoo"):
        await stand_in.replica_set(name, "a")
        await stand_in.counts(name, updated=3, total=3, available=3)
    history = await cli.ok("rollout", "history", "deployment")
    assert history.count("REVISION  CHANGE-CAUSE\n") == 2
    status = await cli.ok("rollout", "status", "deployment", "--watch=false")
    assert status.splitlines() == [f'deployment "{name}" successfully rolled out' for name in ("web", "zoo")]
    ran = await cli.run("rollout", "undo", "deployment")
    sentences = [f'error: no rollout history found for deployment "{name}"' for name in ("web", "zoo")]
    assert (ran.code, ran.err.splitlines()) == (1, sentences)
    edited = await cli.run("edit", "deployment", EDITOR="sed -i s/1.7.9/1.9.1/")
    assert edited.out == "deployment.apps/web edited\ndeployment.apps/zoo edited\n"


async def test_none_are_there(cli: Cli) -> None:
    ran = await cli.run("rollout", "restart", "deployment")
    assert (ran.code, ran.out, ran.err) == (0, "", "No resources found in default namespace.\n")
