"""GET of a pod's log."""

from __future__ import annotations

from contextlib import AsyncExitStack

from rollplane_client.pod_log import LogOptions, open_log
from rollplane_gateway.calls import Call
from rollplane_gateway.refusals import forbidden, invalid
from rollplane_gateway.replies import TEXT, Answer, Reply, Stream
from rollplane_gateway.requests import Query
from rollplane_machinery.codec.time_text import parse_time
from rollplane_machinery.errors import BadRequestError, Cause, InvalidError

_LEAST = {"tailLines": 0, "limitBytes": 1, "sinceSeconds": 1}


async def read_log(call: Call) -> Answer:
    """Answer with the log as text, whole or as it grows; a Status for what there is no log of."""
    options = log_options(call.request.query, call.target.name, call.backend.clock.now())
    log = open_log(call.backend.api, call.target.key, options, call.backend.clock)
    if options.follow:
        return Stream(log, TEXT)
    async with AsyncExitStack() as stack:
        pieces = await stack.enter_async_context(log)
        return Reply(b"".join([piece async for piece in pieces]), TEXT)


def log_options(query: Query, pod: str, now: float) -> LogOptions:
    """Return what is asked for; raises InvalidError or BadRequestError for what makes no sense."""
    numbers = {name: query.number(name) for name in _LEAST}
    causes = [
        invalid(name, number, f"must be greater than or equal to {_LEAST[name]}")
        for name, number in numbers.items()
        if number is not None and number < _LEAST[name]
    ]
    if numbers["sinceSeconds"] is not None and query.text("sinceTime"):
        causes.append(forbidden("sinceSeconds", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if causes:
        raise _invalid(pod, causes)
    return LogOptions(
        container=query.text("container"),
        follow=query.flag("follow"),
        previous=query.flag("previous"),
        timestamps=query.flag("timestamps"),
        tail_lines=numbers["tailLines"],
        limit_bytes=numbers["limitBytes"],
        since=_since(numbers["sinceSeconds"], query.text("sinceTime"), now),
    )


def _since(seconds: int | None, moment: str, now: float) -> float | None:
    if seconds is not None:
        return now - seconds
    if not moment:
        return None
    try:
        whole, nanos = parse_time(moment)
    except ValueError as exc:
        raise BadRequestError(f"sinceTime: {moment!r} is not an RFC 3339 time") from exc
    return whole + nanos / 1e9


def _invalid(pod: str, causes: list[Cause]) -> InvalidError:
    said = "; ".join(map(str, causes))
    return InvalidError(f'PodLogOptions "{pod}" is invalid: {said}', name=pod, causes=causes)
