"""Many runs of a story, spread over the processors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from rollplane_machinery.errors import BadRequestError
from rollplane_page.recording import Recording
from rollplane_rehearsal.rehearse.outcome import Outcome
from rollplane_rehearsal.rehearse.run import rehearse
from rollplane_rehearsal.rehearse.story import Story
from rollplane_rehearsal.series import run_series
from rollplane_rehearsal.virtual_time import run


def rehearse_all(
    story: Story, seeds: Sequence[int], told: Callable[[int], None] = lambda _count: None
) -> list[Outcome]:
    """Return the outcome of each seed, in their order; ``told`` hears how many are done.

    Blocks; with more than a few seeds in as many processes as there are processors. Raises BadRequestError as
    ``rehearse`` does.
    """
    return _counted(run_series(partial(_outcome, story), seeds), told)


async def _outcome(story: Story, seed: int) -> Outcome:
    _hush()
    return (await rehearse(story, seed))[0]


async def outcome_or_refusal(one: tuple[Story, int]) -> Outcome | str:
    """Return the outcome of a story with a seed, or the words in which it cannot be rehearsed."""
    try:
        return await _outcome(*one)
    except BadRequestError as exc:
        return exc.message


def _counted(outcomes: Iterable[Outcome], told: Callable[[int], None]) -> list[Outcome]:
    found = []
    for outcome in outcomes:
        found.append(outcome)
        told(len(found))
    return found


def outcome_of(story: Story, seed: int) -> Outcome:
    """Return what came of one seed; blocks."""
    return run(_outcome(story, seed))


def recording_of(story: Story, seed: int) -> Recording:
    """Return the recording of one seed, with what was waited for; blocks."""
    _hush()
    return run(rehearse(story, seed, recorded=True))[1]


def _hush() -> None:
    """What controllers log of a fault is the fault's story, which the report tells; nobody set up a log for it."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
