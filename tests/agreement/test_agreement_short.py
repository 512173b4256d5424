"""Two stories of ``python -m tests.agreement``: a plane of processes takes the steps that a rehearsal foretells."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.agreement.real import told_for_real
from tests.agreement.rehearsed import rehearsed
from tests.agreement.stories import STORIES

QUICK = [each for each in STORIES if each.name in ("surge", "recreate")]


def test_a_plane_of_processes_takes_the_steps_that_were_foretold(tmp_path: Path) -> None:
    real = asyncio.run(told_for_real(QUICK, tmp_path))
    assert [each.told for each in real] == [rehearsed(told).told for told in QUICK]
