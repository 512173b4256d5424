"""Runs of a load, one after another, each on a target that is opened for it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from rollplane_cli.failures import CommandError
from rollplane_cli.session import Session
from rollplane_load.cluster import Target
from rollplane_load.results import Json, document, run_document
from rollplane_load.running import Run
from rollplane_load.scenario.model import Scenario
from rollplane_load.terminal import Progress
from rollplane_machinery.errors import SetupError, UnsupportedError
from rollplane_plane.commands.load import LoadFlags
from rollplane_plane.loading.targets import target_of


async def all_runs(scenario: Scenario, flags: LoadFlags, session: Session) -> Json:
    """Carry ``scenario`` out as often as asked and return the result.

    Raises CommandError for a target that cannot be had or cannot do what is asked.
    """
    began, runs, told = session.clock.now(), [], {}
    try:
        with _ends_on_term():
            for number in range(1, flags.runs + 1):
                title = scenario.name if flags.runs == 1 else f"{scenario.name} {number}/{flags.runs}"
                async with target_of(scenario, flags, session) as target:
                    told = dict(target.told)
                    runs.append(await _run(scenario, target, title, session))
    except (SetupError, UnsupportedError) as exc:
        raise CommandError(exc.message) from exc
    return document(scenario, told, began, runs)


async def _run(scenario: Scenario, target: Target, title: str, session: Session) -> Json:
    console, clock = session.console, session.clock
    progress = Progress(console.err, clock, title) if console.err.isatty() else None
    run = Run(
        scenario,
        target,
        clock=clock,
        namespace=session.namespace if session.namespace_given else "",
        progress=progress,
    )
    try:
        return run_document(await run.run())
    finally:
        for sentence in run.left:
            console.warn(f"warning: left behind: {sentence}")


@contextmanager
def _ends_on_term() -> Iterator[None]:
    """Let SIGTERM end the load as Ctrl-C does: cleaned up. Raises CommandError then."""
    loop, task, told = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def end() -> None:
        told.set()
        if task is not None:
            task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        yield
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        raise CommandError("the load was told to end") from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
