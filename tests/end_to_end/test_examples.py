"""The examples: every block of their pages, on real processes; every manifest is among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.pages import ROOT, blocks_of, steps_of
from tests.end_to_end.walk_through import walk

QUICK = ("deployment", "stateful-set", "daemon-set")
SLOW = "replication-controller"
"""Its rolling updates wait a second between two steps, as its page tells them to."""
FOLDERS = (*QUICK, SLOW)
ELSEWHERE = ("node-life",)
"""It waits for a node to be lost: test_node_life_walk_through, for another worker."""
STORIES = "scenarios"
"""Needs no plane: tests/rehearsal/test_scenarios.py tells each."""


def test_every_example_is_walked() -> None:
    folders = {page.parent.name for page in (ROOT / "examples").rglob("*.md") if "node_modules" not in page.parts}
    assert folders == {*FOLDERS, *ELSEWHERE, STORIES}


@pytest.mark.parametrize("folder", [*QUICK, pytest.param(SLOW, marks=pytest.mark.long)])
def test_walk_through(folder: str, tmp_path: Path) -> None:
    assert walk(ROOT / "examples" / folder / "README.md", tmp_path) > 8


@pytest.mark.parametrize("folder", [*FOLDERS, *ELSEWHERE])
def test_every_manifest_is_tried(folder: str) -> None:
    place = ROOT / "examples" / folder
    text = "".join(block.text for block in blocks_of(place / "README.md"))
    words = [word for step in steps_of(text) for word in step.line.split()]
    assert {path.name for path in place.glob("*.yaml")} <= {word.rpartition("/")[2] for word in words}
