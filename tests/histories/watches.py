"""Did every watch tell everything, once, in the order of revisions; and is what was acknowledged there?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.histories.calls import Act, Answer, Call


@dataclass(frozen=True, slots=True)
class Seen:
    """One event: ``mark`` is what the object held, for a deletion what it held last."""

    revision: int
    type: str
    key: str
    mark: str


@dataclass(slots=True)
class Watched:
    """What one watcher was told between revision ``after`` and ``until``, whatever server told it."""

    name: str
    after: int
    until: int = 0
    events: list[Seen] = field(default_factory=list)


def faults_of_watches(watchers: Sequence[Watched]) -> Iterator[str]:
    """Yield what is wrong: events out of order, told twice, told otherwise by another, or not told at all."""
    union: dict[int, Seen] = {}
    for watcher in watchers:
        yield from _disorder(watcher)
        for event in watcher.events:
            known = union.setdefault(event.revision, event)
            if known != event:
                yield f"revision {event.revision} was told as {known} and, by {watcher.name}, as {event}"
    for watcher in watchers:
        yield from _gaps(watcher, union)


def _disorder(watcher: Watched) -> Iterator[str]:
    for earlier, later in pairwise(watcher.events):
        if later.revision <= earlier.revision:
            yield f"{watcher.name} was told {later} behind {earlier}"


def _gaps(watcher: Watched, union: Mapping[int, Seen]) -> Iterator[str]:
    told = {event.revision for event in watcher.events}
    for revision in sorted(union.keys() - told):
        if watcher.after < revision <= watcher.until:
            yield f"{watcher.name} was not told {union[revision]}"


def faults_of_writes(histories: Mapping[str, Iterable[Call]], watcher: Watched) -> Iterator[str]:
    """Yield the acknowledged writes that a watcher of everything was not told as they were acknowledged."""
    told = {event.revision: event for event in watcher.events}
    for key, calls in histories.items():
        for call in calls:
            is_write = call.act is not Act.READ and call.answer is Answer.DONE
            if not is_write or not watcher.after < call.revision <= watcher.until:
                continue
            event = told.get(call.revision)
            if event is None or event.key != key or (call.act is not Act.DELETE and event.mark != call.mark):
                yield f"{key}: {call} was acknowledged, and the watch tells of {event}"


def faults_of_effects(watcher: Watched) -> Iterator[str]:
    """Yield marks that were written twice: a write that took effect more than once."""
    made: dict[str, Seen] = {}
    for event in watcher.events:
        if event.type == "DELETED":
            continue
        if (first := made.setdefault(event.mark, event)) is not event:
            yield f"one write had two effects: {first} and {event}"
