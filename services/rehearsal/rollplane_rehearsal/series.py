"""Many runs of one scenario, spread over the cores: processes that are made ready once and then run and run."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from multiprocessing.pool import IMapIterator
from typing import Any, TypeVar

from rollplane_rehearsal.virtual_time import run

Run = TypeVar("Run")
T = TypeVar("T")

Left = Callable[[], float]
"""Says for how many seconds more results may be waited for."""

FEW = 4
SHARES = 8
"""Into how many parts the runs of one process are cut: large ones travel seldom, small ones end together."""


class LateError(Exception):
    """The time was up before the next result was there."""


def run_series(
    scenario: Callable[[Run], Coroutine[Any, Any, T]], runs: Sequence[Run], processes: int = 0, share: int = 0
) -> Generator[T, None, None]:
    """Yield what ``scenario`` returns for each of ``runs`` (seeds, mostly), in their order, each in virtual time.

    ``scenario``, ``runs`` and what is returned travel between processes: a function of a module, and values that can be
    pickled, ``share`` of them together (0 as many as are best when all are wanted). ``processes`` 0 is one for each
    core, none but this for a few runs: they are over before another had started. Raises what a scenario raises. Whoever
    closes the iterator ends all runs.
    """
    return spread(partial(_run_one, scenario), runs, processes, share)


def spread(
    one: Callable[[Run], T], runs: Sequence[Run], processes: int = 0, share: int = 0, left: Left | None = None
) -> Generator[T, None, None]:
    """Yield what ``one``, which blocks, returns for each of ``runs``: all else is as with ``run_series``.

    Raises LateError when nothing is ``left`` of the time and the next result is not there: what still runs is ended, so
    it runs in another process, however few there are.
    """
    wanted = processes or (1 if len(runs) <= FEW else os.cpu_count() or 1)
    if not runs or (wanted == 1 and left is None):
        yield from map(one, runs)
        return
    size = share or max(1, len(runs) // (SHARES * wanted))
    shares = [runs[at : at + size] for at in range(0, len(runs), size)]
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may never get anywhere
    with context.Pool(min(wanted, len(shares)), prepare) as pool:
        results = pool.imap(partial(_each, one), shares)
        for _ in shares:
            yield from _next(results, left)


def _each(one: Callable[[Run], T], runs: Sequence[Run]) -> list[T]:
    return [one(run) for run in runs]


def _next(results: IMapIterator[list[T]], left: Left | None) -> list[T]:
    try:
        return results.next(None if left is None else max(0.0, left()))
    except multiprocessing.TimeoutError:
        raise LateError from None


def prepare() -> None:
    """Make a process ready for many runs, without what is logged of every fault.

    What is imported outlives them all, and most of what a run makes dies young: collecting garbage as often as usual
    would take a tenth of the time.
    """
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _run_one(scenario: Callable[[Run], Coroutine[Any, Any, T]], what: Run) -> T:
    return run(scenario(what))
