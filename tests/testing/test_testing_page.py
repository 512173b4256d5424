"""docs/testing.md shows the files of examples/testing as they are, and those that need nothing of others' pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.testing.sub_runs import ROOT, SubRuns, example_run

pytest_plugins = ["pytester"]

FOLDER = ROOT / "examples" / "testing"
FILES = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```\w+\n# (\S+\.\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
UNNAMED = [text for text in re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if text[0] != "#"]


@pytest.mark.parametrize("name", FILES)
def test_the_page_shows_the_file(name: str) -> None:
    assert BLOCKS[name].strip() == (FOLDER / name).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("name", ["test_first.py", "test_retries_in_process.py"])
def test_what_needs_nothing_else_passes(name: str, tmp_path: Path) -> None:
    example_run(name, tmp_path)


def test_what_is_shown_in_passing_works(sub_run: SubRuns) -> None:
    """The marker before a test, the configuration, and the classes of unittest."""
    marker, classes = UNNAMED
    (ini,) = re.findall(r"^```ini\n\[pytest\]\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    marked = f"import pytest\n{marker}async def test_marked(rollplane):\n    assert rollplane.options.nodes == 100\n"
    sub_run(f"{marked}\n{classes}", ini=ini).assert_outcomes(passed=3)
