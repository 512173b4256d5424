"""The demo's story over real processes: every step of it, with controller, apiserver and store killed on the way."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from rollplane_cli.console import Console
from rollplane_client.grpc_api import connect
from rollplane_machinery.clock import SystemClock
from rollplane_plane.demo.story import Story
from rollplane_plane.demo.theatre import StoryError, Theatre, abridged
from rollplane_plane.killer import killers_of
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings

STEPS = 11


async def test_every_step_of_the_story_comes_out_right(tmp_path: Path) -> None:
    told = io.StringIO()
    settings = PlaneSettings(tmp_path, port=0, nodes=10, profile="instant")
    async with EmbeddedPlane(settings) as plane, connect(plane.address, name="story") as api:
        theatre = Theatre(api, plane.address, Console(told, told, io.StringIO()), SystemClock())
        story = Story(theatre, killers_of(plane))
        try:
            await story.tell()
        except StoryError as exc:
            raise AssertionError(f"{exc}\n{told.getvalue()}") from exc
        assert len(story.steps) == STEPS
        assert theatre.witness.events > 1000  # the invariants were held against something
        assert [child.restarts > 0 for child in plane.children] == [True, True, True, False]  # all but the fleet


async def test_a_step_that_comes_out_wrong_ends_the_story(tmp_path: Path) -> None:
    async with EmbeddedPlane(PlaneSettings(tmp_path, port=0, nodes=0)) as plane, connect(plane.address) as api:
        silent = io.StringIO()
        theatre = Theatre(api, plane.address, Console(silent, silent, io.StringIO()), SystemClock())
        with pytest.raises(StoryError, match=r"exited with 1, not 0: Error from server \(NotFound\)"):
            async with theatre.watched():
                await theatre.command("set image deployment/web nginx=nginx:1")


def test_long_progress_is_abridged() -> None:
    rows = [f"Waiting for deployment {number}" for number in (1, 1, 2, 3, 4, 5, 5, 6)]
    assert list(abridged(["a", "a", *rows, "b"])) == [
        *("a", "a"),
        *("Waiting for deployment 1", "Waiting for deployment 2", "(and 2 more steps)"),
        *("Waiting for deployment 5", "Waiting for deployment 6", "b"),
    ]
    assert list(abridged(rows[:4])) == [
        "Waiting for deployment 1",
        "Waiting for deployment 2",
        "Waiting for deployment 3",
    ]
