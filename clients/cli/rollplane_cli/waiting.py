"""Waiting until deleted objects are gone."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from rollplane_cli.choosing import Found
from rollplane_cli.failures import CommandError
from rollplane_cli.reading import key_of
from rollplane_cli.session import Session
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, Key, WatchBatch, WatchFilter, WatchQuery

TIMED_OUT = "timed out waiting for the condition"


async def wait_until_gone(session: Session, pending: Sequence[Found], timeout_seconds: float) -> None:
    """Return when every object of ``pending`` is gone, or another of its name has taken its place.

    Raises CommandError after ``timeout_seconds``; 0 waits for ever.
    """
    try:
        async with asyncio.timeout(timeout_seconds or None):
            await _wait(session, {found.key: found.parse().metadata.uid for found in pending})
    except TimeoutError as exc:
        raise CommandError(TIMED_OUT) from exc


async def _wait(session: Session, waiting: dict[Key, str]) -> None:
    query = WatchQuery(_filters(list(waiting)), send_initial_state=True)
    seen: set[Key] = set()
    async with resumed_watch(await session.api(), query, session.clock) as batches:
        async for batch in batches:
            _note(batch, waiting, seen)
            if batch.initial_state_complete:
                for key in [key for key in waiting if key not in seen]:
                    del waiting[key]
            if not waiting:
                return


def _note(batch: WatchBatch, waiting: dict[Key, str], seen: set[Key]) -> None:
    """Strike off what the batch shows to be gone."""
    for event in batch.events:
        key = key_of(event.object)
        seen.add(key)
        is_other = waiting.get(key) != event.object.parse().metadata.uid
        if event.type is EventType.DELETED or is_other:
            waiting.pop(key, None)


def _filters(keys: Sequence[Key]) -> tuple[WatchFilter, ...]:
    """One filter for the keys of each kind and namespace."""
    names: defaultdict[Key, list[str]] = defaultdict(list)
    for key in keys:
        names[Key(key.kind, key.namespace, "")].append(key.name)
    return tuple(
        WatchFilter(
            place.kind,
            (place.namespace,) if place.namespace else (),
            field_selector=f"metadata.name in ({','.join(sorted(set(each)))})",
        )
        for place, each in names.items()
    )
