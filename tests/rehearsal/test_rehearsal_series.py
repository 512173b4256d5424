"""Runs spread over processes end as those of one process do, in the order of their seeds."""

from __future__ import annotations

import pytest

from rollplane_rehearsal import Plane
from rollplane_rehearsal.series import run_series
from tests.rehearsal.manifests import deployment


async def rolled_out(seed: int) -> tuple[int, str]:
    async with Plane(nodes=2, profile="realistic", seed=seed) as plane:
        await plane.apply(deployment())
        await plane.until_rolled_out()
        return seed, plane.log.digest


async def failing(seed: int) -> None:
    raise ValueError(f"seed {seed} fails")


def test_processes_tell_what_one_process_tells() -> None:
    seeds = (3, 1, 2)
    apart, here = list(run_series(rolled_out, seeds, 2)), list(run_series(rolled_out, seeds, 1))
    assert apart == here
    assert [seed for seed, _ in apart] == [3, 1, 2]
    assert len({digest for _, digest in apart}) == 3


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_scenario_raises_is_raised(processes: int) -> None:
    with pytest.raises(ValueError, match="seed 4 fails"):
        list(run_series(failing, [4], processes))
