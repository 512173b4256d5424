"""A run told: as text, as a page, on a terminal while it goes on; and what its services' figures say."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass

import pytest

from rollplane_load.course import Course
from rollplane_load.report_page import measurements_of
from rollplane_load.report_text import text_of
from rollplane_load.results import document, run_document
from rollplane_load.running import Run
from rollplane_load.sampling import MOST_POINTS, Sampler
from rollplane_load.scenario.model import rollover
from rollplane_load.scraping import committed, named, read_figures, usage_in, waits_between
from rollplane_load.tally import Tally
from rollplane_load.terminal import ERASE, Progress, lines_of
from rollplane_load.usage import Processes, Spending, Together, Usage, usage_of
from rollplane_load.watcher import Watcher
from rollplane_machinery.clock import FakeClock
from rollplane_page.recording import Tone
from rollplane_rehearsal import run
from tests.clients.load.test_load_compare import a_result, a_run
from tests.clients.load.test_load_watcher import Told
from tests.clients.load.virtual import target
from tests.end_to_end.fleet_plane import fleet_plane


def _course(clock: FakeClock) -> Course:
    watcher, tally = Watcher(Told(), "x", clock=clock), Tally()
    return Course(rollover(1, 1, 0.5), tally, watcher, Sampler(watcher, tally, Processes(dict), clock))


def test_text_and_page_tell_a_whole_run() -> None:
    async def story() -> None:
        async with fleet_plane() as plane:
            wanted = rollover(3, 2, 0.5)
            course = await Run(wanted, target(plane), clock=plane.clock).run()
            result = document(wanted, {"kind": "virtual"}, 0.0, [run_document(course)])
        text = text_of(result)
        assert "3x2 on virtual, seed 1" in text
        assert [line.split()[0] for line in text.splitlines() if line.startswith(("create", "rollover"))] == [
            "create",
            "rollover",
            "create",
            "rollover",
        ]
        assert "invariant violations: 0" in text
        shown = measurements_of(result)
        assert shown.verdict is not None
        assert shown.verdict.tone is Tone.GOOD
        (part,) = shown.parts
        assert [chart.title for chart in part.charts][:2] == ["Rollouts in flight", "Pods"]
        assert all(len(line.values) == len(chart.places) for chart in part.charts for line in chart.lines)

    run(story())


def test_what_went_wrong_is_told_first() -> None:
    broken = a_run(1.0, invariant_violations=["x broke"], unfinished=2, errors={"Timeout": 2}, left_behind=["a node"])
    shown = measurements_of(a_result(broken))
    assert shown.verdict is not None
    assert (shown.verdict.tone, shown.verdict.sentence) == (Tone.BAD, "1 invariant violations, 2 unfinished.")
    text = text_of(a_result(broken, a_run(1.0)))
    assert "run 1 of 2" in text
    assert "  x broke" in text
    assert "errors: 2 Timeout" in text
    assert "left behind: a node" in text


def test_of_several_runs_the_ends_are_told() -> None:
    shown = measurements_of(a_result(a_run(1.0), a_run(2.0), a_run(4.0)))
    assert shown.figures[0].value == "2 (1 to 4)"
    assert [part.title for part in shown.parts] == ["Run 1", "Run 2", "Run 3"]


async def test_progress_changes_in_place_and_leaves_nothing() -> None:
    clock, stream = FakeClock(), io.StringIO()
    course = _course(clock)
    progress = Progress(stream, clock, "100x10")
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(progress.follow(course))
        for _ in range(3):
            await asyncio.sleep(0)
            await clock.advance(0.2)
        following.cancel()
    written = stream.getvalue()
    assert written.count("100x10") >= 3
    assert written.count(ERASE) == written.count("\n")


async def test_progress_tells_where_the_run_is() -> None:
    clock = FakeClock()
    course = _course(clock)
    course.phase, course.tally.in_flight = "mix", 3
    course.tally.errors["Conflict"] = 2
    await clock.advance(61.0)
    first, second, _ = lines_of(course, "mine")
    assert first == "mine   mix   61.0 s"
    assert second == "  rollouts 0 done, 3 in flight   pods 0 of 0   2 errors"


@dataclass
class Used:
    """Processes whose use is said."""

    found: dict[str, Usage]
    every_seconds: float = 0.25

    async def look(self) -> dict[str, Usage]:
        return self.found


async def test_a_long_course_is_thinned_out_and_keeps_its_sums() -> None:
    clock = FakeClock()
    used = Used({"a": Usage(1, 0.0, 10.0)})
    watcher, tally = Watcher(Told(), "x", clock=clock), Tally()
    sampler = Sampler(watcher, tally, used, clock)
    for step in range(2000):
        used.found = {"a": Usage(1, step * 0.1, 10.0)}
        watcher.changes = step * 5
        await sampler.take()
        await clock.advance(sampler.every_seconds)
    points = sampler.points
    assert MOST_POINTS / 2 <= len(points) <= MOST_POINTS
    assert [point.at for point in points] == sorted(point.at for point in points)
    ends = [0.0, *(point.at for point in points)]
    changes = sum(point.changes * (end - begin) for point, begin, end in zip(points, ends, ends[1:], strict=False))
    assert changes == pytest.approx(watcher.changes, rel=0.02)


def test_what_processes_spent_is_added_up_over_their_lives() -> None:
    spending = Spending()
    for found in (
        {"a": Usage(1, 5.0, 50.0, 60.0)},
        {"a": Usage(1, 6.0, 40.0, 60.0)},
        {"a": Usage(2, 0.5, 20.0, 20.0), "b": Usage(9, 3.0, 5.0)},
        {"a": Usage(2, 1.5, 30.0, 30.0), "b": Usage(9, 4.0, 7.0)},
    ):
        spending.take(found)
    assert spending.cpu_seconds == {"a": pytest.approx(2.5), "b": pytest.approx(1.0)}
    assert (spending.peak_mib, spending.resident_mib) == ({"a": 60.0, "b": 7.0}, {"a": 30.0, "b": 7.0})


async def test_sources_can_be_read_together() -> None:
    both = Together(Used({"a": Usage(1, 1.0, 1.0)}), Used({"b": Usage(1, 2.0, 2.0)}, 1.0))
    assert both.every_seconds == 1.0
    assert [*await both.look()] == ["a", "b"]


def test_a_process_that_is_gone_has_no_use() -> None:
    assert usage_of(2**22 + 1) is None


BEFORE = """
process_cpu_seconds_total 3.0
process_resident_memory_bytes 1.048576e+07
process_start_time_seconds 1000.5
rollplane_commit_items_sum 10
workqueue_queue_duration_seconds_bucket{name="d",le="0.1"} 1
workqueue_queue_duration_seconds_bucket{name="d",le="1.0"} 1
workqueue_queue_duration_seconds_bucket{name="d",le="+Inf"} 1
workqueue_queue_duration_seconds_sum{name="d"} 0.05
"""
AFTER = """
process_cpu_seconds_total 4.5
rollplane_commit_items_sum 35
workqueue_queue_duration_seconds_bucket{name="d",le="0.1"} 4
workqueue_queue_duration_seconds_bucket{name="d",le="1.0"} 5
workqueue_queue_duration_seconds_bucket{name="d",le="+Inf"} 5
workqueue_queue_duration_seconds_sum{name="d"} 0.65
workqueue_queue_duration_seconds_bucket{name="idle",le="+Inf"} 0
unknown_seconds_bucket{le="+Inf"} 7
"""


def test_the_figures_of_a_service_are_what_changed_in_between() -> None:
    before, after = read_figures(BEFORE), read_figures(AFTER)
    assert usage_in(before) == Usage(100050, 3.0, 10.0)
    assert usage_in(read_figures("")) is None
    assert committed(before, after) == 25
    (wait,) = waits_between("controller", before, after)
    assert (wait.service, wait.what, wait.name, wait.count) == ("controller", "queue", "d", 4)
    assert wait.mean == pytest.approx(0.15)
    assert (wait.p50, wait.p99) == (0.1, 1.0)


def test_addresses_have_names() -> None:
    assert named(["a=h:1", "h:2"]) == {"a": "h:1", "h:2": "h:2"}
    with pytest.raises(ValueError, match="a is given twice"):
        named(["a=h:1", "a=h:2"])
