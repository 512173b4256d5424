"""Many runs of one scenario, spread over the cores: processes that are made ready once and then run seed after seed."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from rollplane_rehearsal.virtual_time import run

T = TypeVar("T")

FEW = 4
SHARES = 8
"""Into how many parts the seeds of one process are cut: large ones travel seldom, small ones end together."""


def run_series(
    scenario: Callable[[int], Coroutine[Any, Any, T]], seeds: Sequence[int], processes: int = 0
) -> Iterator[T]:
    """Yield what ``scenario`` returns for each of ``seeds``, in their order, each run in virtual time.

    ``scenario`` and what it returns travel between processes: a function of a module, and values that can be pickled.
    ``processes`` 0 is one for each core, none but this for a few seeds: they are over before another had started.
    Raises what a scenario raises.
    """
    one = partial(_run_one, scenario)
    wanted = processes or (1 if len(seeds) <= FEW else os.cpu_count() or 1)
    if wanted == 1:
        yield from map(one, seeds)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may never get anywhere
    with context.Pool(min(wanted, len(seeds)), prepare) as pool:
        yield from pool.imap(one, seeds, max(1, len(seeds) // (SHARES * wanted)))


def prepare() -> None:
    """Make a process ready for many runs, without what is logged of every fault.

    What is imported outlives them all, and most of what a run makes dies young: collecting garbage as often as usual
    would take a tenth of the time.
    """
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _run_one(scenario: Callable[[int], Coroutine[Any, Any, T]], seed: int) -> T:
    return run(scenario(seed))
