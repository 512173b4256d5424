"""README.md, every block of it: the longest of our pages, for a worker of its own."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.pages import ROOT
from tests.end_to_end.walk_through import walk


def test_front_page(tmp_path: Path) -> None:
    walk(ROOT / "README.md", tmp_path)
