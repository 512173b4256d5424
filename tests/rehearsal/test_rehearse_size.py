"""What a rehearsal costs with many pods, and what is seen of it meanwhile."""

from __future__ import annotations

import io

import pytest

from rollplane_machinery.clock import FakeClock
from rollplane_printing.diagnosis import Diagnosis
from rollplane_rehearsal.commands.reporting import CLEAR, Sight
from rollplane_rehearsal.diagnosing import diagnose
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rehearse import waiting
from rollplane_rehearsal.rehearse.run import rehearse
from rollplane_rehearsal.rehearse.story import SetImage
from rollplane_rehearsal.rollouts import Workload
from tests.rehearsal.stories import DEPLOYMENT, deployment, outcome, story


def _looks(monkeypatch: pytest.MonkeyPatch, pods: int) -> int:
    """Return how often a recorded rehearsal asks what is waited for, each of which reads all pods."""
    looks = 0

    def counted(plane: Plane, workload: Workload) -> Diagnosis:
        nonlocal looks
        looks += 1
        return diagnose(plane, workload)

    monkeypatch.setattr(waiting, "diagnose", counted)
    told = story(SetImage(DEPLOYMENT, {"*": "web:v2"}), deployment(replicas=pods), undo=False)
    assert rehearse(told, 1, recorded=True)[0].finished
    return looks


def test_what_is_waited_for_is_looked_at_no_oftener_when_there_are_more_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = _looks(monkeypatch, 60), _looks(monkeypatch, 180)
    assert many < 1.5 * few


def test_looking_at_what_many_pods_wait_for_changes_nothing() -> None:
    told = story(SetImage(DEPLOYMENT, {"*": "web:v2"}), deployment(replicas=60), undo=False)
    seen, recording = rehearse(told, 1, recorded=True)
    assert seen == outcome(told)
    assert recording.waits
    assert not any(wait.lasting for wait in recording.waits)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_long_run_shows_how_far_it_is_and_leaves_nothing_behind() -> None:
    clock, err = FakeClock(), _Terminal()
    sight = Sight(err, clock)
    sight.tell(3.0, 1, 10)
    assert err.getvalue() == ""
    await clock.advance(2.5)
    sight.tell(30.0, 4, 10)
    sight.tell(31.0, 5, 10)
    assert err.getvalue() == f"{CLEAR}rehearsed 30 s, 4 of 10 pods updated"
    sight.end()
    assert err.getvalue().endswith(CLEAR)


async def test_who_is_no_terminal_is_shown_nothing() -> None:
    clock, err = FakeClock(), io.StringIO()
    sight = Sight(err, clock)
    await clock.advance(60.0)
    sight.tell(30.0, 4, 10)
    sight.end()
    assert err.getvalue() == ""


def test_a_run_says_how_many_pods_are_updated() -> None:
    heard: list[tuple[float, int, int]] = []
    told = story(SetImage(DEPLOYMENT, {"*": "web:v2"}), undo=False)
    rehearse(told, 1, told=lambda seconds, updated, wanted: heard.append((seconds, updated, wanted)))
    assert (0, 4) in [each[1:] for each in heard]
    assert heard[-1][1:] == (4, 4)
    assert [each[0] for each in heard] == sorted(each[0] for each in heard)
