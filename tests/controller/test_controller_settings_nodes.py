"""The times of node life as settings of the controller service."""

from __future__ import annotations

import pytest

from rollplane_controller.settings import Settings, read_arguments
from rollplane_planners.node_lifecycle.times import DEFAULT_TIMES, NodeTimes, times_of


def test_defaults_are_kubernetes() -> None:
    assert Settings().node_times() == DEFAULT_TIMES == NodeTimes(5.0, 50.0, 60.0, 0.1, 0.01)


@pytest.mark.parametrize(("release", "seconds"), [("1.31", 40.0), ("1.32", 50.0)])
def test_grace_is_that_of_the_release(release: str, seconds: float) -> None:
    settings = read_arguments(["--kubernetes", release], {})
    assert settings.node_times().grace_seconds == times_of(settings.release).grace_seconds == seconds


def test_what_is_no_release_stops_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments([], {"ROLLPLANE_KUBERNETES": "1.38"})
    assert 'kubernetes: "1.38" is no release that can be behaved as: want 1.20 to 1.37' in capsys.readouterr().err


def test_each_time_has_its_variable() -> None:
    environ = {
        "ROLLPLANE_NODE_MONITOR_SECONDS": "1",
        "ROLLPLANE_NODE_GRACE_SECONDS": "12.5",
        "ROLLPLANE_NODE_STARTUP_GRACE_SECONDS": "20",
        "ROLLPLANE_NODE_EVICTION_RATE": "2",
        "ROLLPLANE_NODE_SECONDARY_EVICTION_RATE": "0",
    }
    assert read_arguments([], environ).node_times() == NodeTimes(1.0, 12.5, 20.0, 2.0, 0.0)


def test_times_that_make_no_sense_stop_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_arguments([], {"ROLLPLANE_NODE_GRACE_SECONDS": "-1"})
    assert "grace_seconds is -1.0, want more than 0" in capsys.readouterr().err
