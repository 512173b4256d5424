"""examples/node-life, with real processes: a node is lost and comes back, another is emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.up_process import running
from tests.end_to_end.walk_through import ROOT, Step, walk

PAGE = ROOT / "examples" / "node-life" / "README.md"


def test_walk_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As short as leases that are renewed every ten seconds allow.
    monkeypatch.setenv("ROLLPLANE_NODE_MONITOR_SECONDS", "1")
    monkeypatch.setenv("ROLLPLANE_NODE_GRACE_SECONDS", "12")
    with running("--nodes", "3", "--profile", "instant", "--port", "0", "--data", str(tmp_path / "data")) as up:
        assert walk(PAGE, up.server) == 14


MATCHES: dict[str, tuple[str, str, bool]] = {
    "equal": ("a\n", "a\n", True),
    "another": ("a\n", "b\n", False),
    "more lines": ("a\n", "a\nb\n", False),
    "any lines": ("…\nb\n", "x\ny\nb\n", True),
    "no lines": ("…\nb\n", "b\n", True),
    "within a line": ("web-…   1/1\n", "web-abc    1/1\n", True),
    "not beyond a line": ("a…b\n", "a\nb\n", False),
    "nothing is special": ("a.*\n", "abc\n", False),
}


@pytest.mark.parametrize(("shown", "output", "matches"), MATCHES.values(), ids=MATCHES)
def test_what_is_shown_is_compared(shown: str, output: str, matches: bool) -> None:
    assert Step("get", shown).matches(output) is matches
