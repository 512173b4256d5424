"""Handing in writes that belong together, and hearing of them once all are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.throttle import Writer
from rollplane_machinery.api import Write
from rollplane_machinery.errors import RollplaneError


def submit_all(writer: Writer, writes: Sequence[Write], answered: Callable[[Sequence[Answer]], None]) -> None:
    """Submit ``writes`` and call ``answered`` with all answers, in order; at once when there are none."""
    if not writes:
        answered(())
    answers: dict[int, Answer] = {}

    def note(position: int, answer: Answer) -> None:
        answers[position] = answer
        if len(answers) == len(writes):
            answered([answers[at] for at in range(len(writes))])

    def hear(position: int, done: asyncio.Future[Answer]) -> None:
        if not done.cancelled():
            note(position, done.result())

    for position, write in enumerate(writes):
        try:
            writer.submit(write).add_done_callback(partial(hear, position))
        except RollplaneError as exc:
            note(position, exc)
