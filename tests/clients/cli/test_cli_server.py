"""Whom a command speaks to that is told no server: the plane that runs in its folder, as `down` and `kubectl` do."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from rollplane_cli.console import Console
from rollplane_cli.session import DEFAULT_SERVER, Session
from rollplane_service.presence import DEFAULT_DATA, NAME, claimed

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
    with claimed(DATA):
        assert server() == DEFAULT_SERVER


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
