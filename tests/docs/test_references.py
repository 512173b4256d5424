"""docs/check_references.py finds what leads nowhere, and our own texts lead somewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docs import check_references

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "api.md"

DEAD = {
    "a link to no file": "[x](nowhere.md)",
    "a link to no heading": "[x](architecture.md#no-such-heading)",
    "a path of no file": "see docs/" + "nowhere.md",
    "a page outside the repository": "see " + "design.md",
    "the law by its old name": "see " + "semantics/deployment.md",
    "a section that is not there": "docs/semantics/deployment.md section 99",
    "a module that is gone": "rollplane_machinery" + ".printing",
    "a name that is gone": "rollplane_machinery" + ".kinds.NO_SUCH_KIND",
}


@pytest.mark.parametrize("text", DEAD.values(), ids=DEAD)
def test_dead_reference_is_found(text: str) -> None:
    assert [line for finder in check_references.FINDERS for line in finder(PAGE, text)]


def test_live_references_pass() -> None:
    text = "[x](architecture.md#the-store), docs/semantics/deployment.md section 3, rollplane_machinery.kinds.by_word"
    assert [line for finder in check_references.FINDERS for line in finder(PAGE, text)] == []


def test_the_repository_refers_to_what_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "docs/check_references.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0)
