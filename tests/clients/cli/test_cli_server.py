"""Whom a command speaks to that is told no server: the plane that runs in its folder, as `down` and `kubectl` do."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from rollplane_cli import session
from rollplane_cli.console import Console
from rollplane_cli.failures import CommandError
from rollplane_cli.session import DEFAULT_SERVER, Session
from rollplane_service.presence import DEFAULT_DATA, NAME, claimed
from tests.clients.cli.commands import Cli, Running
from tests.clients.python.plane import Plane

HERE = "127.0.0.1:1"
DATA = Path(DEFAULT_DATA)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def server(environ: Mapping[str, str] | None = None, told: str = "") -> str:
    out = io.StringIO()
    return Session(Console(out, out, io.StringIO()), environ or {}, server=told).server


def test_the_plane_of_this_folder() -> None:
    with claimed(DATA) as claim:
        claim.tell(HERE)
        assert server() == HERE
        assert server({"ROLLPLANE_SERVER": "named:1"}) == "named:1"
        assert server({"ROLLPLANE_SERVER": "named:1"}, told="told:1") == "told:1"
    assert server() == DEFAULT_SERVER


def test_a_plane_that_has_not_said_where_it_is() -> None:
    """Whoever listens at the usual address meanwhile is another."""
    with claimed(DATA):
        with pytest.raises(CommandError, match="still starting; rollplane wait-ready waits for it"):
            server()
        assert server(told="told:1") == "told:1"


@pytest.mark.parametrize("begins", ["before it starts", "while it starts"])
async def test_wait_ready_asks_the_plane_that_starts_here(
    plane: Plane, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "DEFAULT_SERVER", HERE)
    with ExitStack() as stack:
        if begins == "while it starts":
            claim = stack.enter_context(claimed(DATA))
        waiting = Running(Cli(""), "wait-ready", "--timeout", "30s")
        for _ in range(5):
            await asyncio.sleep(0)
        if begins == "before it starts":
            claim = stack.enter_context(claimed(DATA))
        claim.tell(plane.address)
        ended = await waiting.end()
    assert (ended.code, ended.out) == (0, f"{plane.address} is ready\n")


async def test_wait_ready_says_that_a_plane_never_told_where_it_is() -> None:
    with claimed(DATA):
        ran = await Cli("").run("wait-ready", "--timeout", "1s")
    text = "error: the plane of this folder is not ready after 1 s: it is still starting\n"
    assert (ran.code, ran.err) == (1, text)


def test_no_plane_ran_here() -> None:
    assert server() == DEFAULT_SERVER
    assert not DATA.exists()


def test_a_folder_that_tells_nothing() -> None:
    DATA.write_text("no folder")
    assert server() == DEFAULT_SERVER


def test_what_a_killed_plane_left_is_not_believed() -> None:
    DATA.mkdir()
    (DATA / NAME).write_text(f'{{"pid": 1, "server": "{HERE}"}}')
    assert server() == DEFAULT_SERVER
