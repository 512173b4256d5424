"""Planners and plane agree on a few random walks, and where worlds differ it is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollplane_machinery.releases import LATEST
from tests.differential.__main__ import main
from tests.differential.compare import walk_by_seed
from tests.differential.walks import Walk
from tests.differential.worlds import PlannersWorld
from tests.planners.traces import FOLDER, Json

RECORD = FOLDER / "rollover-3.json"


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_planners_and_plane_agree(seed: int) -> None:
    assert walk_by_seed(seed, 20, LATEST) is None


def walked(seed: int) -> tuple[list[Json], list[Any]]:
    """Return what the planners show after each of 60 steps, and the actions."""
    walk = Walk(seed)
    world = PlannersWorld(walk.manifest, LATEST)
    shown, actions = [world.snapshot()], []
    for _ in range(60):
        action = walk.next(shown[-1])
        world.act(action, world.choose(action))
        shown.append(world.snapshot())
        actions.append(action)
    return shown, actions


def test_a_seed_is_one_walk_and_all_that_can_happen_happens() -> None:
    shown, actions = walked(7)
    assert (shown, actions) == walked(7)
    verbs = {verb for action in actions if isinstance(action, dict) for verb in action}
    assert verbs == {"image", "patch", "undo", "ready", "unready", "delete_pod", "finish"}
    assert len({json.dumps(one) for one in shown}) > len(shown) / 2, "most steps change something"


def test_the_first_difference_of_a_walk_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planners that scale where the plane is given an image differ from it at the first such step."""
    right = PlannersWorld.act

    def wrong(world: PlannersWorld, action: Any, acted: dict[str, int]) -> None:
        right(world, {"patch": {"spec": {"replicas": 9}}} if "image" in action else action, acted)

    monkeypatch.setattr(PlannersWorld, "act", wrong)
    assert main(["--seed", "7", "--steps", "60"]) == 1
    told = capsys.readouterr().out
    assert told.startswith("seed 7, step ")
    assert "spec_replicas: planners 9, plane " in told


def test_a_record_is_followed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recorded", str(RECORD)]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_a_record_that_shows_something_else_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = json.loads(RECORD.read_text())
    trace["trace"][1]["replica_sets"][0]["ready"] = 7
    other = tmp_path / "other.json"
    other.write_text(json.dumps(trace))
    assert main(["--recorded", str(other), "--steps", "2"]) == 1
    told = capsys.readouterr().out
    assert "other, step 1, " in told
    assert "replica_sets[0].ready: record 7, planners " in told
    assert "replica_sets[0].ready: record 7, plane " in told


def test_a_record_of_another_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--recorded", str(FOLDER / "ds-rolling.json")])
    assert refused.value.code == 2
    assert "only Deployments" in capsys.readouterr().err
