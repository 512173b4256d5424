"""examples/node-life, with real processes: a node is lost and comes back, another is emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.pages import ROOT
from tests.end_to_end.walk_through import walk


@pytest.mark.long
def test_walk_through(tmp_path: Path) -> None:
    assert walk(ROOT / "examples" / "node-life" / "README.md", tmp_path) == 15
