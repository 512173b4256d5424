"""docs/testing.md shows the files of examples/testing, and those that need nothing of others pass."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.pages import blocks_of
from tests.testing.sub_runs import ROOT, SubRuns, example_run

pytest_plugins = ["pytester"]

FOLDER = ROOT / "examples" / "testing"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
BLOCKS = blocks_of(ROOT / "docs" / "testing.md")


def test_the_page_shows_every_file() -> None:
    assert sorted(Path(block.file).name for block in BLOCKS if block.file) == FILES


def test_what_needs_nothing_else_passes(tmp_path: Path) -> None:
    example_run(tmp_path, "test_first.py", "test_retries_in_process.py", "test_unittest.py")


def test_what_is_shown_in_passing_works(sub_run: SubRuns) -> None:
    """The marker before a test, and the configuration."""
    marker, ini = (block.text for block in BLOCKS if block.language == "text")
    marked = f"import pytest\n{marker}async def test_marked(rollplane):\n    assert rollplane.options.nodes == 100\n"
    sub_run(marked, ini=ini.removeprefix("[pytest]\n")).assert_outcomes(passed=1)
