"""The page of a finished run in a real browser: read by role and text, scrubbed, in both schemes, without a network.

And those of the stories that ship, each opened in both schemes on a phone and a desk.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollplane_page.comparing import Comparison, Point
from rollplane_page.document import comparison_document, report_document
from rollplane_page.recording import Figure, Recording, Tone, Verdict
from tests.clients.real.pages import FITS, SIZES, browser, findings, opened_page, sync_api
from tests.end_to_end.up_process import rollplane
from tests.page.recordings import BEGAN, batch, deployment, event, pod, recorder, replica_set

__all__ = ["browser"]

STORIES = sorted((Path(__file__).parents[3] / "examples" / "scenarios").glob("*.yaml"))
MOST_BYTES = 1_500_000


def _recording() -> Recording:
    told = recorder()
    told.take(batch(deployment(), replica_set(), *(pod(f"a{n}", node="n", ready_at=0) for n in range(4))), BEGAN + 1)
    told.mark("v2 applied", BEGAN + 5)
    told.take(batch(replica_set("r2"), pod("b", owner="r2", image="web:v2"), event("Failed")), BEGAN + 6)
    told.waits("d", "waits for b", BEGAN + 6)
    recording = told.finish(BEGAN + 20)
    recording.verdict = Verdict(Tone.BAD, "web does not finish.", "b is not scheduled.")
    recording.figures = [Figure("Least available", "2 of 3", Tone.BAD), Figure("Runs", "1")]
    return recording


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(report_document(_recording()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser: Any, file: str) -> Iterator[Any]:
    with opened_page(browser, file) as opened:
        yield opened


def test_the_change_is_shown_first_and_other_moments_can_be_looked_at(page: Any) -> None:
    expect = sync_api.expect
    expect(page.get_by_text("web does not finish.")).to_be_visible()
    expect(page.get_by_role("heading", name="deployment/web")).to_be_visible()
    expect(page.get_by_text("5.0 s of 20 s")).to_be_visible()
    page.get_by_role("slider", name="Time").press("End")
    expect(page.get_by_role("img", name="web:v2 r2: 1 pending")).to_be_visible()
    expect(page.get_by_text("Waits: waits for b")).to_be_visible()
    expect(page.locator(".u-legend")).to_contain_text("20 s")  # the last change was at 6.0 s
    page.get_by_role("button", name="v2 applied at 5.0 s").click()
    expect(page.get_by_role("img", name="web:v1 r1: 4 available")).to_be_visible()
    expect(page.get_by_role("img", name="web:v2 r2: no pods")).to_be_attached()
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_role("button", name="Next change").click()
    expect(page.get_by_role("listitem").filter(has_text="Failed")).to_be_visible()


def test_the_slider_is_a_slider_for_the_keyboard(page: Any) -> None:
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    page.keyboard.press("Home")
    sync_api.expect(page.get_by_text("0.0 s of 20 s")).to_be_visible()
    assert slider.get_attribute("aria-valuetext") == "0.0 s of 20 s"


def test_it_plays_to_the_end(page: Any) -> None:
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Play").click()
    sync_api.expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("slider", name="Time").evaluate(
        "(slider) => { slider.value = 20; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
    )
    sync_api.expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_it_speaks_chinese(page: Any) -> None:
    page.get_by_role("button", name="中文").click()
    sync_api.expect(page.get_by_role("heading", name="等待的原因")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(page: Any, scheme: str) -> None:
    """By axe-core; in both schemes, for contrast is a matter of colours."""
    page.emulate_media(color_scheme=scheme)
    assert findings(page) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_fits_every_screen(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate(FITS)
    page.locator(".verdict strong").evaluate("(each) => { each.textContent = 'registry.example.com/a'.repeat(20); }")
    assert page.evaluate(FITS)


def test_a_chart_names_its_lines_in_a_row(page: Any) -> None:
    """Its legend is a table, and tables of figures are drawn otherwise."""
    cell = page.locator(".u-legend th").first
    assert cell.evaluate("(each) => getComputedStyle(each).borderBottomWidth") == "0px"


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_report_of_a_story_that_ships(browser: Any, path: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    assert rollplane(f"rehearse --scenario {path} --runs 1 --report {report}").code == 0
    assert report.stat().st_size <= MOST_BYTES
    with opened_page(browser, report.as_uri()) as page:
        sync_api.expect(page.get_by_text("keeps every expectation in 1 run.")).to_be_visible()
        page.get_by_role("slider", name="Time").press("Home")
        page.get_by_role("button", name="Next change").click()
        for scheme, width in itertools.product(("light", "dark"), (360, 1280)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(FITS)


COMPARED = Comparison(
    "web",
    Verdict(Tone.GOOD, "maxSurge=2 is the fastest."),
    ["", "maxSurge", "P95", "verdict"],
    [["1", "1", "9.0 s", "kept"], ["2 *", "2", "5.0 s", "kept"], ["3", "0", "5.1 s", "BROKEN in 1 of 1: finishes"]],
    [Tone.GOOD, Tone.GOOD, Tone.BAD],
    [
        Point(1, "maxSurge=1", 8.0, 9.0, 100.0, False, Tone.GOOD),
        Point(2, "maxSurge=2", 4.0, 5.0, 100.0, True, Tone.GOOD),
        Point(3, "maxSurge=0", 5.0, 5.1, 80.0, False, Tone.BAD),
        Point(4, "maxSurge=5", None, None, 80.0, False, Tone.BAD),
    ],
    ["* none is faster"],
)


def test_a_comparison_is_a_plot_and_a_table(browser: Any, tmp_path: Path) -> None:
    report = tmp_path / "compared.html"
    report.write_text(comparison_document(COMPARED), encoding="utf-8")
    with opened_page(browser, report.as_uri()) as page:
        sync_api.expect(page.get_by_text("maxSurge=2 is the fastest.")).to_be_visible()
        sync_api.expect(page.get_by_role("row", name="3 0 5.1 s BROKEN in 1 of 1: finishes")).to_be_visible()
        plot = page.get_by_role("img")
        assert plot.get_attribute("aria-label") == (
            "1: maxSurge=1, 9.0 s, 100 %; 2: maxSurge=2, 5.0 s, 100 %; 3: maxSurge=0, 5.1 s, 80 %"
        )
        for scheme, width in itertools.product(("light", "dark"), (360, 1280)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(FITS)
            assert findings(page) == []
