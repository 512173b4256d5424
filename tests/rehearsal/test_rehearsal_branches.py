"""Runs that begin alike: forks of a process in which the beginning is over come to what living through it comes to."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from rollplane_rehearsal import Plane
from rollplane_rehearsal.branches import Work, run_branches
from tests.rehearsal.manifests import deployment

SEEDS = (3, 1, 2)


@asynccontextmanager
async def rested() -> AsyncIterator[Plane]:
    async with Plane(nodes=2, profile="realistic") as plane:
        await plane.apply(deployment(image="web:v1"))
        await plane.until_rolled_out()
        await plane.at_rest()
        yield plane


@asynccontextmanager
async def unrested() -> AsyncIterator[Plane]:
    raise ValueError("it never rests")
    yield Plane()


async def rolled_out(seed: int, plane: Plane) -> tuple[int, str, str]:
    before = plane.log.digest
    plane.throw_anew(seed)
    await plane.apply(deployment(image="web:v2"))
    await plane.until_rolled_out()
    return seed, before, plane.log.digest


def twice(seed: int) -> Generator[Work[Plane, Any], Any, list[tuple[int, str, str]]]:
    return [(yield partial(rolled_out, seed)), (yield partial(rolled_out, seed))]


async def failing(seed: int, plane: Plane) -> None:
    raise ValueError(f"seed {seed} fails on {len(plane.log) > 0}")


def fails(seed: int) -> Generator[Work[Plane, Any], Any, None]:
    yield partial(failing, seed)


async def ending(plane: Plane) -> None:
    os._exit(7)


def ends(_seed: int) -> Generator[Work[Plane, Any], Any, None]:
    yield ending


def test_forks_come_to_what_fresh_processes_come_to() -> None:
    forked, fresh = list(run_branches(rested, twice, SEEDS, 2)), list(run_branches(rested, twice, SEEDS, 1))
    assert forked == fresh
    assert [seed for (seed, _, _), _ in forked] == list(SEEDS)
    assert all(first == second for first, second in forked), "no branch changes what another begins with"


def test_all_begin_alike_and_each_seed_goes_its_own_way() -> None:
    found = [first for first, _ in run_branches(rested, twice, SEEDS, 2)]
    assert len({before for _, before, _ in found}) == 1
    assert len({after for _, _, after in found}) == 3


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_branch_raises_is_raised(processes: int) -> None:
    with pytest.raises(ValueError, match="seed 4 fails on True"):
        list(run_branches(rested, fails, [4, 5], processes))


@pytest.mark.parametrize("processes", [1, 2])
def test_a_beginning_that_fails_fails_every_run(processes: int) -> None:
    with pytest.raises(ValueError, match="it never rests"):
        list(run_branches(unrested, twice, SEEDS, processes))


def test_a_run_that_ends_without_a_word_is_told() -> None:
    with pytest.raises(RuntimeError, match="ended in the middle of a run"):
        list(run_branches(rested, ends, [4], 2))
