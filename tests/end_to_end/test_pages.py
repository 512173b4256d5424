"""Every block of every page is run; what is shown is what comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_machinery.errors import InvalidError
from tests.end_to_end.pages import ROOT, Block, Step, all_pages, blocks_of, steps_of
from tests.end_to_end.walk_through import RUNNERS, reading, walk

_, *OTHERS = all_pages()
PAGES = [page for page in OTHERS if page.parent.parent.name != "examples" and blocks_of(page)]
"""README.md is walked by test_front_page, and those of the examples by test_examples, which other workers run."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", all_pages(), ids=name_of)
def test_every_block_has_a_runner(page: Path) -> None:
    fences = sum(line.startswith("```") for line in page.read_text(encoding="utf-8").splitlines())
    assert fences == 2 * len(blocks_of(page))
    assert {block.language for block in blocks_of(page)} <= set(RUNNERS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page(page: Path, tmp_path: Path) -> None:
    walk(page, tmp_path)


REFUSED = {
    "a command that nothing runs": Block("sh", "frobnicate\n"),
    "a command in a text": Block("text", "$ rollplane version\n"),
    "another output": Block("console", "$ echo a\nb\n"),
    "a failure that is not shown": Block("console", "$ false\n"),
    "no failure, though one is shown": Block("console", "$ echo error: no\nerror: no\n"),
    "an output of nothing": Block("console", "a\n"),
    "a file of other words": Block("yaml", "a: b\n", "examples/testing/web.yaml"),
    "a wrong profile": Block("yaml", "rules: [{stage: none}]\n"),
}


@pytest.mark.parametrize("block", REFUSED.values(), ids=REFUSED)
def test_a_wrong_block_is_refused(block: Block, tmp_path: Path) -> None:
    with reading(tmp_path) as reader, pytest.raises((AssertionError, InvalidError)):
        reader.take(block)


MATCHES: dict[str, tuple[str, str, bool]] = {
    "equal": ("a\n", "a\n", True),
    "another": ("a\n", "b\n", False),
    "more lines": ("a\n", "a\nb\n", False),
    "any lines": ("…\nb\n", "x\ny\nb\n", True),
    "no lines": ("…\nb\n", "b\n", True),
    "within a line": ("web-…   1/1\n", "web-abc    1/1\n", True),
    "not beyond a line": ("a…b\n", "a\nb\n", False),
    "nothing is special": ("a.*\n", "abc\n", False),
}


@pytest.mark.parametrize(("shown", "output", "matches"), MATCHES.values(), ids=MATCHES)
def test_what_is_shown_is_compared(shown: str, output: str, matches: bool) -> None:
    assert Step("get", shown).matches(output) is matches


def test_steps_of_a_block() -> None:
    assert list(steps_of("$ a\nb\nc\n$ d\n")) == [Step("a", "b\nc\n"), Step("d", "")]
