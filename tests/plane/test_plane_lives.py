"""Numbering the lives of a process."""

from __future__ import annotations

from pathlib import Path

from rollplane_plane.lives import next_life


def test_each_life_has_the_next_number(tmp_path: Path) -> None:
    path = tmp_path / "data" / "controller.life"
    assert [next_life(path) for _ in range(3)] == [1, 2, 3]


def test_what_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "controller.life"
    path.write_text("")
    assert next_life(path) == 1
