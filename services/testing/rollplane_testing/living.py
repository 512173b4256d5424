"""The plane of one test in the test's own process, kept by a task of its own for as long as the test lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from rollplane_machinery.releases import LATEST
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.virtual_time import VirtualTimeLoop
from rollplane_testing.options import Options, nodes_of, profile_of
from rollplane_testing.telling import told

T = TypeVar("T")


class TestPlane(Plane):
    """A Plane, which a test that is no coroutine may run coroutines in."""

    __test__ = False  # of no interest to who looks for tests

    def __init__(self, options: Options) -> None:
        super().__init__(
            nodes_of(options),
            profile=profile_of(options),
            seed=options.seed,
            release=options.release or LATEST,
        )
        self.options = options
        self._loop = asyncio.get_running_loop()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run ``main`` to its end in the plane's loop, and return what it returns: for tests that are no coroutines.

        Raises RuntimeError where the loop runs already: there ``await`` it.
        """
        if self._loop.is_running():
            main.close()
            raise RuntimeError("the plane's loop runs already: await this instead")
        return self._loop.run_until_complete(main)

    def told(self) -> str:
        """Return what is told of the plane when the test failed; takes none of its time."""
        head = [
            f"{self.options.words()}, after {self._loop.time():.1f} s (the same seed is the same run)",
            f"event log {self.log.digest}",
        ]
        return "\n".join([*head, *told(self)])


@asynccontextmanager
async def living(options: Options) -> AsyncIterator[TestPlane]:
    """Let a plane live within the context, which may be entered and left by different tasks.

    Whatever ends a part of the plane before its time is raised on leaving.
    """
    leave = asyncio.Event()
    begun: asyncio.Future[TestPlane] = asyncio.get_running_loop().create_future()
    keeper = asyncio.create_task(_keep(options, begun, leave))
    either: set[asyncio.Future[Any]] = {keeper, begun}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    if not begun.done():
        await keeper  # raises what kept it from beginning
    try:
        yield begun.result()
    finally:
        leave.set()
        await keeper


async def _keep(options: Options, begun: asyncio.Future[TestPlane], leave: asyncio.Event) -> None:
    async with TestPlane(options) as plane:
        begun.set_result(plane)
        await leave.wait()


@contextmanager
def living_alone(options: Options) -> Iterator[TestPlane]:
    """Let a plane live within the context in a loop of its own, which runs only in ``run``."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        life = living(options)
        plane = runner.run(life.__aenter__())
        try:
            yield plane
        finally:
            runner.run(_left(life))


async def _left(life: Any) -> None:
    await life.__aexit__(None, None, None)
