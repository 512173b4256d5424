"""Pages in a real browser, for tests: opened without a network, and judged by axe-core."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright cannot be had")
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = ((320, 640), (1280, 900), (3840, 2160))
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("no Chromium here")
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=BROWSER, args=list(QUIET))
        yield started
        started.close()


@contextmanager
def opened_page(browser: Any, file: str) -> Iterator[Any]:
    """The open page; anything its console complains of, and any request but for the file, fails the test."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}, offline=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
    opened.goto(file)
    yield opened
    context.close()
    assert not complaints


def findings(page: Any) -> list[tuple[str, str]]:
    """Return what axe-core finds on ``page``: the rule, and the first element that breaks it."""
    axe = pytest.importorskip("axe_core_python.sync_playwright", reason="axe-core cannot be had")
    return [(each["id"], each["nodes"][0]["html"]) for each in axe.Axe().run(page)["violations"]]
