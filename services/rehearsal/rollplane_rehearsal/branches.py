"""Many runs that have their beginning in common: it is lived through once, and each run goes on from there.

A plane cannot be copied, but its process can: each run is a fork of one in which the beginning is over. Where
processes cannot be forked, and where a few runs are not worth a process, each run lives through the beginning itself;
it comes to the same, since planes are deterministic.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rollplane_rehearsal.series import FEW, prepare
from rollplane_rehearsal.virtual_time import resume_in_fork, run

S = TypeVar("S")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Beginning = Callable[[], AbstractAsyncContextManager[S]]
"""Enters what all runs have in common."""
Work = Callable[[S], Coroutine[Any, Any, T]]
"""One branch: goes on from the state of the beginning, in a loop of its own."""
Scenario = Callable[[int], Generator[Work[S, Any], Any, T]]
"""A run of one seed: yields its branches one by one, is sent what each returned, and returns what came of all."""


def run_branches(
    begin: Beginning[S], scenario: Scenario[S, T], seeds: Sequence[int], processes: int = 0
) -> Iterator[T]:
    """Yield what ``scenario`` returns for each of ``seeds``, in their order.

    ``begin`` and ``scenario`` travel between processes, as do results: functions of a module, values that can be
    pickled. ``processes`` 0 is one for each core, none but this for a few seeds. Raises what any of them raises.
    """
    wanted = processes or (1 if len(seeds) <= FEW else os.cpu_count() or 1)
    if wanted == 1:
        yield from (run_alone(begin, scenario(seed)) for seed in seeds)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may never get anywhere
    with ExitStack() as stack:
        count = min(wanted, len(seeds))
        workers = [stack.enter_context(_Worker(context, begin, scenario)) for _ in range(count)]
        yield from _in_order(workers, seeds)


def run_alone(begin: Beginning[S], branches: Generator[Work[S, Any], Any, T]) -> T:
    """Return what ``branches`` come to, of which each lives through the beginning itself; blocks."""
    told: Any = None
    while True:
        try:
            work = branches.send(told)
        except StopIteration as end:
            value: T = end.value
            return value
        told = run(_lived(begin, work))


async def _lived(begin: Beginning[S], work: Work[S, T]) -> T:
    async with begin() as state:
        return await work(state)


# Forks.


async def _forked(state: S, branches: Generator[Work[S, Any], Any, T]) -> T:
    """Do what ``run_alone`` does in forks of this process, which has no threads, and waits for them."""
    told: Any = None
    while True:
        try:
            work = branches.send(told)
        except StopIteration as end:
            value: T = end.value
            return value
        told = await _in_fork(work, state)


async def _in_fork(work: Work[S, T], state: S) -> Any:
    """Return what ``work`` returns in a fork. No task of this process has a turn meanwhile."""
    loop = asyncio.get_running_loop()
    theirs, ours = multiprocessing.Pipe(duplex=False)
    process = os.fork()
    if process == 0:
        resume_in_fork(loop)
        await _end_with(ours, work(state))
    ours.close()
    return _told(theirs, process)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T_co]):
    """What came of a run: its value, or its failure."""

    value: T_co | None = None
    failure: Exception | None = None


def _result(answer: _Answer[Any]) -> Any:
    if answer.failure is not None:
        raise answer.failure
    return answer.value


async def _answer(work: Coroutine[Any, Any, T]) -> _Answer[T]:
    try:
        return _Answer(await work)
    except Exception as exc:
        return _Answer(failure=exc)


async def _end_with(told: Connection, work: Coroutine[Any, Any, object]) -> None:
    """Do ``work`` in this fork, tell what came of it, and end, without the cleaning up that is the original's."""
    try:
        gc.disable()  # nothing lives long here
        told.send(await _answer(work))
    finally:
        os._exit(0)


def _told(connection: Connection, process: int) -> Any:
    """Return what the run in ``process`` came to, once it has ended."""
    with connection:
        answer = _received(connection)
    os.waitpid(process, 0)
    return _result(answer)


# Processes that run one seed after another.


class _Worker:
    """A process that runs one seed after another."""

    def __init__(self, context: SpawnContext, begin: Beginning[Any], scenario: Scenario[Any, Any]) -> None:
        self.connection, theirs = context.Pipe()
        self._theirs = theirs
        self._process = context.Process(target=_work, args=(theirs, begin, scenario), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.terminate()
        self.connection.close()  # which it takes for the end
        self._process.join()


def _in_order(workers: Sequence[_Worker], seeds: Sequence[int]) -> Iterator[Any]:
    """Give each worker the next seed as soon as it is free; yield the results in the order of the seeds."""
    left = iter(enumerate(seeds))
    places: dict[Connection, int] = {}
    found: dict[int, _Answer[Any]] = {}
    told = 0

    def give(connection: Connection) -> None:
        if (following := next(left, None)) is not None:
            places[connection], seed = following
            connection.send(seed)

    for worker in workers:
        give(worker.connection)
    while places:
        heard = wait(list(places))
        for connection in [each for each in places if each in heard]:
            found[places.pop(connection)] = _received(connection)
            give(connection)
        while told in found:
            yield _result(found.pop(told))
            told += 1


def _received(connection: Connection) -> _Answer[Any]:
    try:
        answer: _Answer[Any] = connection.recv()
    except EOFError:
        raise RuntimeError("a process ended in the middle of a run") from None
    return answer


def _work(connection: Connection, begin: Beginning[S], scenario: Scenario[S, Any]) -> None:
    """Answer each seed, until nobody asks any more."""
    prepare()
    if not hasattr(os, "fork"):
        for seed in _asked(connection):
            connection.send(_answer_alone(begin, scenario(seed)))
        return
    failed = run(_answer(_branching(connection, begin, scenario))).failure
    if failed is not None:
        for _ in _asked(connection):
            connection.send(_Answer(failure=failed))


def _answer_alone(begin: Beginning[S], branches: Generator[Work[S, Any], Any, T]) -> _Answer[T]:
    try:
        return _Answer(run_alone(begin, branches))
    except Exception as exc:
        return _Answer(failure=exc)


async def _branching(connection: Connection, begin: Beginning[S], scenario: Scenario[S, Any]) -> None:
    async with begin() as state:
        gc.freeze()  # a fork shares what nobody looks at
        for seed in _asked(connection):
            connection.send(await _answer(_forked(state, scenario(seed))))


def _asked(connection: Connection) -> Iterator[int]:
    while True:
        try:
            yield connection.recv()
        except EOFError:
            return
