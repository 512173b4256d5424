"""The lines of ``rollout status``: one for each look that says something new."""

from __future__ import annotations

import io
from dataclasses import replace

from rollplane_cli.console import Console
from rollplane_cli.output.progress import Lines
from rollplane_machinery.api import RolloutState, RolloutStatus

LOOK = RolloutStatus(RolloutState.PROGRESSING, "1 of 3 updated")


def test_equal_looks_are_one_line() -> None:
    console = Console(io.StringIO(), io.StringIO(), io.StringIO())
    lines = Lines(console)
    other = replace(LOOK, message="2 of 3 updated")
    for look in (LOOK, replace(LOOK, total=4), other, other, LOOK):
        lines.look(look)
    assert console.out.getvalue() == "1 of 3 updated\n2 of 3 updated\n1 of 3 updated\n"  # type: ignore[attr-defined]
