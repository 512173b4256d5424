"""The page is one file: whole, closed to the network, and safe whatever its data say."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

from rollplane_page.comparing import Comparison
from rollplane_page.document import APP, VENDOR, comparison_document, report_document
from rollplane_page.recording import EventLine, Recording, Tone, Verdict

HOSTILE = "</script><script>alert(1)</script><!--"


class _Scripts(HTMLParser):
    """The scripts of a page by their type, as a browser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._type = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._type = dict(attrs).get("type") or "" if tag == "script" else ""

    def handle_data(self, data: str) -> None:
        if self._type:
            assert self._type not in self.found
            self.found[self._type] = data

    def handle_endtag(self, tag: str) -> None:
        self._type = ""


def _scripts(page: str) -> dict[str, str]:
    parser = _Scripts()
    parser.feed(page)
    return parser.found


def test_data_cannot_leave_their_element() -> None:
    recording = Recording(HOSTILE, events=[EventLine(0, False, HOSTILE, "a", HOSTILE)])
    scripts = _scripts(report_document(recording))
    assert json.loads(scripts["application/json"])["events"][0][2] == HOSTILE
    assert scripts["module"] == 'import "rollplane/main";'


def test_a_comparison_is_as_safe() -> None:
    page = comparison_document(Comparison(HOSTILE, Verdict(Tone.GOOD, HOSTILE), [HOSTILE], [[HOSTILE]], [Tone.BAD]))
    assert json.loads(_scripts(page)["application/json"])["rows"] == [[HOSTILE]]


def test_every_import_is_in_the_file() -> None:
    imports = json.loads(_scripts(report_document(Recording("x")))["importmap"])["imports"]
    assert set(imports) == {*VENDOR, *(f"rollplane/{name}" for name in APP)}
    for name, url in imports.items():
        source = base64.b64decode(url.partition(",")[2]).decode()
        if name.startswith("rollplane/"):
            assert set(re.findall(r'from "([^"]+)"', source)) <= set(imports), name


def test_the_file_may_ask_nobody_and_is_small() -> None:
    page = report_document(Recording("x"))
    assert "default-src 'none'" in page
    assert not re.search(r'(?:src|href)="', page)
    assert len(page) < 200_000


def test_licences_travel_with_the_libraries() -> None:
    page = report_document(Recording("x"))
    assert all(f"== {name} " in page for name in ("preact", "htm", "uplot"))
