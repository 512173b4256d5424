"""Handing in writes that belong together, and hearing of them once all are answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rollplane.core.v1 import ObjectReference
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_machinery.api import Key, Write
from rollplane_machinery.errors import RollplaneError


def submit_all(writer: BatchWriter, writes: Sequence[Write], answered: Callable[[list[Answer]], None]) -> None:
    """Submit ``writes`` and call ``answered`` with all answers, in order; at once when there are none."""
    answers: dict[int, Answer] = {}

    def note(position: int, answer: Answer) -> None:
        answers[position] = answer
        if len(answers) == len(writes):
            answered([answers[at] for at in range(len(writes))])

    if not writes:
        answered([])
    for position, write in enumerate(writes):
        _submit(writer, write, partial(note, position))


def _submit(writer: BatchWriter, write: Write, answered: Callable[[Answer], None]) -> None:
    try:
        future = writer.submit(write)
    except RollplaneError as exc:
        answered(exc)
    else:
        future.add_done_callback(lambda done: None if done.cancelled() else answered(done.result()))


def reference_to(key: Key, uid: str) -> ObjectReference:
    """Return the reference by which an Event names the object of ``key``."""
    return ObjectReference(
        kind=key.kind.name, api_version=key.kind.api_version, namespace=key.namespace, name=key.name, uid=uid
    )
