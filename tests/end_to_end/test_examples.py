"""The examples of each kind: every command of their walk-throughs, on real processes; every manifest is among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.up_process import running
from tests.end_to_end.walk_through import ROOT, steps_of, walk

FOLDERS = ("deployment", "stateful-set", "daemon-set")


@pytest.mark.parametrize("folder", FOLDERS)
def test_walk_through(folder: str, tmp_path: Path) -> None:
    page = ROOT / "examples" / folder / "README.md"
    with running("--nodes", "3", "--profile", "instant", "--port", "0", "--data", str(tmp_path / "data")) as up:
        assert walk(page, up.server) > 8


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_manifest_is_tried(folder: str) -> None:
    place = ROOT / "examples" / folder
    applied = {step.line.rpartition("/")[2] for step in steps_of(place / "README.md") if step.line.startswith("apply")}
    assert applied == {path.name for path in place.glob("*.yaml")}
