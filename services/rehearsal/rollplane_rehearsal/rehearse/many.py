"""Many runs of a story, spread over the processors."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import partial
from typing import Any

from rollplane_machinery.errors import BadRequestError
from rollplane_page.recording import Recording
from rollplane_rehearsal.branches import Work, run_branches
from rollplane_rehearsal.rehearse.following import Told, nobody
from rollplane_rehearsal.rehearse.outcome import Outcome
from rollplane_rehearsal.rehearse.run import Run, begun, branches, rehearse
from rollplane_rehearsal.rehearse.story import Story


def rehearse_all(
    story: Story, seeds: Sequence[int], told: Callable[[int], None] = lambda _count: None
) -> list[Outcome]:
    """Return the outcome of each seed, in their order; ``told`` hears how many are done.

    Blocks; with more than a few seeds in as many processes as there are processors. Raises BadRequestError as
    ``rehearse`` does.
    """
    return _counted(run_branches(partial(begun, story), _branches, seeds), told)


def _branches(seed: int) -> Generator[Work[Run, Any], Any, Outcome]:
    hush()
    return branches(seed)


def outcome_of_run(run: tuple[Story, int]) -> Outcome:
    """Return the outcome of a story with a seed; blocks."""
    return outcome_of(*run)


def outcome_or_refusal(one: tuple[Story, int]) -> Outcome | str:
    """Return the outcome of a story with a seed, or the words in which it cannot be rehearsed; blocks."""
    try:
        return outcome_of(*one)
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
    hush()
    return rehearse(story, seed)[0]


def recording_of(story: Story, seed: int) -> Recording:
    """Return the recording of one seed, with what was waited for; blocks."""
    return recorded_run(story, seed)[1]


def recorded_run(story: Story, seed: int, told: Told = nobody) -> tuple[Outcome, Recording]:
    """Return the outcome of one seed, and its recording with what was waited for; ``told`` hears how far. Blocks."""
    hush()
    return rehearse(story, seed, recorded=True, told=told)


def hush() -> None:
    """What controllers log of a fault is the fault's story, which the report tells; nobody set up a log for it."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())
