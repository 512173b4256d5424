"""Pictures of rollouts: what is recorded, what is refused, and that both formats are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_cli.failures import CommandError
from rollplane_cli.output.chart import Count, Recording, check_path, draw


def _recording() -> Recording:
    recording = Recording("deployment.apps/web", 3, min_available=2, max_total=4)
    for at, old, new in ((0.0, 3, 0), (1.0, 2, 1), (2.0, 0, 3)):
        recording.note("app:1", Count(at, old, old))
        recording.note("app:2", Count(at, new, new))
    return recording


def test_only_changes_are_recorded() -> None:
    recording = Recording("x", 1)
    for at in (0.0, 1.0, 2.0):
        recording.note("app:1", Count(at, 1, 1))
    assert recording.versions == {"app:1": [Count(0.0, 1, 1)]}
    assert recording.end == 2.0


@pytest.mark.parametrize("name", ["rollout.svg", "rollout.png"])
def test_a_picture_is_drawn(tmp_path: Path, name: str) -> None:
    path = check_path(str(tmp_path / name))
    draw(_recording(), path)
    start = path.read_bytes()[:200]
    assert start.startswith(b"\x89PNG") if name.endswith("png") else b"<?xml" in start


def test_versions_and_bounds_stand_in_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "rollout.svg"
    draw(_recording(), path)
    text = path.read_text()
    for word in ("app:1", "app:2", "at least 2", "at most 4", "deployment.apps/web"):
        assert f"<!-- {word} -->" in text, word


@pytest.mark.parametrize("name", ["rollout.pdf", "rollout", "svg"])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(CommandError, match=r"must end in \.svg or \.png"):
        check_path(name)
