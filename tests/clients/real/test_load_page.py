"""The page of measurements in a real browser: read by role and text, in both schemes, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rollplane_load.report_page import page_of
from rollplane_load.statistics import PARTS
from tests.clients.load.test_load_compare import a_result, a_run
from tests.clients.real.pages import FITS, SIZES, browser, findings, opened_page, sync_api

__all__ = ["browser"]


def _run(seconds: float) -> dict[str, Any]:
    at = [0.5 * step for step in range(1, 21)]
    ones = [1.0] * len(at)
    names = ("in_flight", "desired", "available", "changes", "pods_made", "rollouts")
    series = {"at": at, **dict.fromkeys(names, ones), "lag": [None, *ones[1:]]}
    series |= {"cores": {"apiserver": ones}, "mib": {"apiserver": ones}}
    marks = [[0.1, "create all"], [4.0, "kill controller"]]
    found = a_run(seconds, series=series, marks=marks)
    found["rollouts"][0]["quantiles"] = [0.001 * (place + 1) for place in range(len(PARTS))]
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "load.html"
    broken = {**_run(3.0), "invariant_violations": ["revision 7: web: broke"]}
    path.write_text(page_of(a_result(_run(1.0), _run(2.0), broken)), encoding="utf-8")
    return str(path.as_uri())


@pytest.fixture
def page(browser: Any, file: str) -> Iterator[Any]:
    with opened_page(browser, file) as opened:
        yield opened


def test_what_was_measured_is_shown_run_by_run(page: Any) -> None:
    expect = sync_api.expect
    expect(page.get_by_text("1 invariant violations, 0 unfinished.")).to_be_visible()
    expect(page.get_by_text("2 (1 to 3)")).to_be_visible()
    expect(page.get_by_role("heading", name="Run 1", exact=True)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="kill controller")).to_be_visible()
    expect(page.get_by_role("img", name="Rollouts, by percentile: create ≤ 22 ms")).to_be_visible()
    expect(page.get_by_role("row", name="create all 1.00 s 4 8 80 1.00 s")).to_be_visible()
    page.get_by_role("button", name="Run 3").click()
    expect(page.get_by_role("heading", name="Run 3", exact=True)).to_be_visible()
    expect(page.get_by_role("row", name="create all 3.00 s 4 8 80 1.00 s")).to_be_visible()
    assert page.locator(".chart canvas").count() == 8


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_anybody_out(page: Any, scheme: str) -> None:
    """By axe-core; in both schemes, for contrast is a matter of colours."""
    page.emulate_media(color_scheme=scheme)
    assert findings(page) == []


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_it_fits_every_screen(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    assert page.evaluate(FITS)
