"""Draining a node without a command line: the choice of pods is the command's, the budgets are the server's."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from rollplane.core.v1 import Pod
from rollplane_cli.draining.choice import DrainRules, choose_pods
from rollplane_cli.draining.sending import RETRY_SECONDS
from rollplane_machinery.api import Evict, Key, Patch, PatchType, Preconditions
from rollplane_machinery.errors import NotFoundError, TooManyRequestsError
from rollplane_machinery.kinds import NODE, POD

if TYPE_CHECKING:
    from rollplane_rehearsal.plane import Plane

_RULES = DrainRules(ignore_daemon_sets=True, delete_local_data=True, force=True)
_EVER = 1e9


async def drain(plane: Plane, node: str, seconds: float | None) -> list[str]:
    """Cordon ``node``, evict its pods and wait until they are gone; return the names of those that are not.

    Gives up after ``seconds``, None never. Raises NotFoundError when there is no such node.
    """
    await cordon(plane, node, unschedulable=True)
    pods = await plane.client.list(Pod, field_selector=f"spec.nodeName={node}")
    going = choose_pods(pods, _RULES, 0.0).going
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for pod in going:
                tasks.create_task(_send_away(plane, pod))
    except TimeoutError:
        return [f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in going if not await _is_gone(plane, pod)]
    return []


async def cordon(plane: Plane, node: str, *, unschedulable: bool) -> None:
    """Keep new pods from ``node``, or let them come again."""
    patch = b'{"spec": {"unschedulable": true}}' if unschedulable else b'{"spec": {"unschedulable": null}}'
    await plane.api.write(Patch(Key(NODE, "", node), PatchType.MERGE, patch))


async def _send_away(plane: Plane, pod: Pod) -> None:
    """Ask until the pod's budget lets it go, then wait until it is gone."""
    while not await _has_to_go(plane, pod):
        await plane.advance(RETRY_SECONDS)
    await plane.until(partial(_is_gone, plane, pod), _EVER)


async def _has_to_go(plane: Plane, pod: Pod) -> bool:
    key = Key(POD, pod.metadata.namespace, pod.metadata.name)
    try:
        await plane.api.write(Evict(key, preconditions=Preconditions(uid=pod.metadata.uid)))
    except TooManyRequestsError:
        return False
    except NotFoundError:
        return True
    return True


async def _is_gone(plane: Plane, pod: Pod) -> bool:
    try:
        found = await plane.client.get(Pod, pod.metadata.namespace, pod.metadata.name)
    except NotFoundError:
        return True
    return found.metadata.uid != pod.metadata.uid
