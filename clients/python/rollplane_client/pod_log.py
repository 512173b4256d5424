"""The log of a pod's container as bytes, once or as it grows; what it says is ``rollplane_printing.pod_log``'s."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, Key, ObjectApi, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.codec.time_text import format_time
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.times import time_of
from rollplane_printing.pod_log import Line, Log, chosen_container, container_log


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which log, and how much of it.

    ``container`` may be empty where the pod has but one. ``tail_lines`` counts from the end of what there is;
    ``limit_bytes`` ends it in the middle of a line; ``since`` is in seconds since the epoch.
    """

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: float | None = None


@asynccontextmanager
async def open_log(api: ObjectApi, key: Key, options: LogOptions, clock: Clock) -> AsyncIterator[AsyncIterator[bytes]]:
    """Open the log of the pod ``key``; the iterator blocks for more while it is followed and the container runs.

    Raises NotFoundError, BadRequestError in the words of a kubelet, and what the Api raises.
    """
    encoded = await api.get(key)
    pod = encoded.read_as(Pod)
    container = chosen_container(pod, options.container)
    log = container_log(pod, container, previous=options.previous)
    async with aclosing(_pieces(api, pod, container, log, options, clock)) as pieces:
        yield pieces


async def _pieces(
    api: ObjectApi, pod: Pod, container: str, log: Log, options: LogOptions, clock: Clock
) -> AsyncGenerator[bytes, None]:
    left = options.limit_bytes
    async with aclosing(_batches(api, pod, container, log, options, clock)) as batches:
        async for lines in batches:
            text = b"".join(_shown(line, options) for line in lines)
            if left is not None:
                text, left = text[:left], left - len(text)
            if text:
                yield text
            if left is not None and left <= 0:
                return


async def _batches(
    api: ObjectApi, pod: Pod, container: str, log: Log, options: LogOptions, clock: Clock
) -> AsyncGenerator[list[Line], None]:
    """Yield what is written, as it is; the first time what there is already."""
    told = set(log.lines)
    yield _tail([line for line in log.lines if _is_wanted(line, options)], options.tail_lines)
    if log.ended or not options.follow:
        return
    async with aclosing(_later(api, pod, container, log, clock)) as logs:
        async for later in logs:
            fresh = [line for line in later.lines if line not in told]
            told.update(fresh)
            yield [line for line in fresh if _is_wanted(line, options)]


async def _later(api: ObjectApi, pod: Pod, container: str, log: Log, clock: Clock) -> AsyncGenerator[Log, None]:
    """Yield the log of the same run whenever the pod has changed, until the run has ended or the pod is gone."""
    metadata = pod.metadata
    key = Encoded.of(pod).key
    where = WatchFilter(key.kind, (metadata.namespace,), field_selector=f"metadata.name={metadata.name}")
    async with resumed_watch(api, WatchQuery((where,), send_initial_state=True), clock) as batches:
        async for batch in batches:
            for event in batch.events:
                log = _log_of(event.object, metadata.uid, container, log)
                yield log
                if log.ended or event.type is EventType.DELETED:
                    return


def _log_of(encoded: Encoded, uid: str, container: str, before: Log) -> Log:
    """Return what the run that ``before`` tells of has written by now; an ended one where it is over."""
    pod = encoded.read_as(Pod)
    over = Log((), ended=True, run=before.run)
    if pod.metadata.uid != uid:
        return over
    try:
        log = container_log(pod, container)
    except BadRequestError:
        return over if before.run else before  # it may start yet
    return log if before.run in (0, log.run) else over


def _is_wanted(line: Line, options: LogOptions) -> bool:
    return options.since is None or line.seconds >= options.since


def _tail(lines: list[Line], count: int | None) -> list[Line]:
    return lines if count is None else lines[max(0, len(lines) - count) :]


def _shown(line: Line, options: LogOptions) -> bytes:
    if not options.timestamps:
        return f"{line.text}\n".encode()
    written = format_time(time_of(line.seconds)) or ""
    return f"{written.removesuffix('Z')}.000000000Z {line.text}\n".encode()
