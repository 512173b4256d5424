"""The soak in its short form: one era of faults between real processes, then judgement and rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soaking import soak

SECONDS = 10.0


@pytest.mark.long
async def test_a_short_soak_finds_nothing(tmp_path: Path) -> None:
    report = await soak(tmp_path, seed=20260, seconds=SECONDS, era_seconds=SECONDS, store_eras=False)
    assert report.faults == []
    assert report.figures["writes done"] > 0
    assert report.figures["changes of workloads"] > 0
