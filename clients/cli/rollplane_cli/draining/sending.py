"""Sending pods away and waiting until they are gone, each on its own; told in kubectl's words."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_cli.draining.departures import Departures
from rollplane_cli.session import Session
from rollplane_machinery.api import Delete, Evict, Key, Preconditions, WriteOptions
from rollplane_machinery.codec.time_text import format_duration
from rollplane_machinery.errors import CauseReason, ConflictError, NotFoundError, RollplaneError, TooManyRequestsError
from rollplane_machinery.kinds import POD

RETRY_SECONDS = 5.0
"""kubectl's pause after a budget has said no, whatever delay the server proposes."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How pods are sent away: by ``eviction``, which budgets may delay, or by deletion.

    ``timeout_seconds`` 0 waits for ever. ``suffix`` is added to what is said of a dry run.
    """

    session: Session
    options: WriteOptions
    eviction: bool = True
    grace_period_seconds: int | None = None
    timeout_seconds: float = 0.0
    suffix: str = ""


async def send_away(sending: Sending, pods: tuple[Pod, ...], departures: Departures) -> list[str]:
    """Send all ``pods`` away at the same time and return what went wrong, a sentence for each pod."""
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(departures.run())
        leaving = [tasks.create_task(_send(sending, pod, departures)) for pod in pods]
        failures = [await each for each in leaving]
        following.cancel()
    return [failure for failure in failures if failure]


async def _send(sending: Sending, pod: Pod, departures: Departures) -> str:
    """Send one pod away and see it gone; returns what went wrong, "" for nothing."""
    name, namespace = pod.metadata.name, pod.metadata.namespace
    doing = f'error when evicting pods/"{name}" -n "{namespace}"'
    try:
        async with asyncio.timeout(sending.timeout_seconds or None):
            if not await (_evict(sending, pod, doing) if sending.eviction else _delete(sending, pod)):
                return ""
            doing = f'error when waiting for pod "{name}" in namespace "{namespace}" to terminate'
            if not sending.options.dry_run:
                await departures.gone(pod.metadata.uid)
    except TimeoutError:
        return f"{doing}: global timeout reached: {format_duration(int(sending.timeout_seconds * 1e9))}"
    except RollplaneError as exc:
        return f"{doing}: {exc.message}"
    if not sending.options.dry_run:
        sending.session.console.say(f"pod/{name} {'evicted' if sending.eviction else 'deleted'}")
    return ""


async def _evict(sending: Sending, pod: Pod, doing: str) -> bool:
    """Ask until the pod's budget lets it go; returns whether it has to be waited for.

    The uid makes sure that a namesake, which a StatefulSet makes on another node meanwhile, is left alone.
    """
    console, api = sending.session.console, await sending.session.api()
    write = Evict(_key(pod), sending.grace_period_seconds, Preconditions(uid=pod.metadata.uid), sending.options)
    while True:
        console.say(f"evicting pod {pod.metadata.namespace}/{pod.metadata.name}{sending.suffix}")
        try:
            await api.write(write)
        except (NotFoundError, ConflictError) as exc:
            if isinstance(exc, NotFoundError) or not await _is_there(sending, pod):
                return False
            await sending.session.clock.sleep(RETRY_SECONDS)
        except TooManyRequestsError as exc:
            why = " ".join((exc.message, *(cause.message for cause in exc.causes)))
            console.warn(f"{doing} (will retry after {RETRY_SECONDS:g}s): {why}")
            await sending.session.clock.sleep(RETRY_SECONDS)
        except RollplaneError as exc:
            if not any(cause.reason is CauseReason.NAMESPACE_TERMINATING for cause in exc.causes):
                raise
            return True  # its namespace is going, and takes it along
        else:
            return True


async def _is_there(sending: Sending, pod: Pod) -> bool:
    """Tell whether it is still this very pod that has its name."""
    api = await sending.session.api()
    try:
        return (await api.get(_key(pod))).parse().metadata.uid == pod.metadata.uid
    except NotFoundError:
        return False


async def _delete(sending: Sending, pod: Pod) -> bool:
    api = await sending.session.api()
    preconditions = Preconditions(uid=pod.metadata.uid)
    try:
        await api.write(Delete(_key(pod), sending.grace_period_seconds, None, preconditions, sending.options))
    except (NotFoundError, ConflictError):
        return False
    return True


def _key(pod: Pod) -> Key:
    return Key(POD, pod.metadata.namespace, pod.metadata.name)
