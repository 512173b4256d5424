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


async def drain(plane: Plane, node: str, seconds: float | None) -> dict[str, str]:
    """Cordon ``node``, evict its pods and wait until they are gone; return those that are not, and why.

    ``namespace/name`` stands for a pod, the words in which its eviction was refused last for why; "" for one that was
    told to go. Gives up after ``seconds``, None never. Raises NotFoundError when there is no such node.
    """
    await cordon(plane, node, unschedulable=True)
    pods = await plane.client.list(Pod, field_selector=f"spec.nodeName={node}")
    going = choose_pods(pods, _RULES, 0.0).going
    held: dict[str, str] = {}
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
            for pod in going:
                tasks.create_task(_send_away(plane, pod, held))
    except TimeoutError:
        left = [pod for pod in going if not await _is_gone(plane, pod)]
        return {name: held.get(name, "") for name in map(_called, left)}
    return {}


def _called(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


async def cordon(plane: Plane, node: str, *, unschedulable: bool) -> None:
    """Keep new pods from ``node``, or let them come again."""
    patch = b'{"spec": {"unschedulable": true}}' if unschedulable else b'{"spec": {"unschedulable": null}}'
    await plane.api.write(Patch(Key(NODE, "", node), PatchType.MERGE, patch))


async def _send_away(plane: Plane, pod: Pod, held: dict[str, str]) -> None:
    """Ask until the pod's budget lets it go, then wait until it is gone; ``held`` is why it may not yet."""
    while refusal := await _refusal(plane, pod):
        held[_called(pod)] = refusal
        await plane.advance(RETRY_SECONDS)
    held.pop(_called(pod), None)
    await plane.until(partial(_is_gone, plane, pod), _EVER)


async def _refusal(plane: Plane, pod: Pod) -> str:
    """Evict ``pod``; return in which words that is refused for now, "" when it has to go."""
    key = Key(POD, pod.metadata.namespace, pod.metadata.name)
    try:
        await plane.api.write(Evict(key, preconditions=Preconditions(uid=pod.metadata.uid)))
    except TooManyRequestsError as exc:
        return "; ".join(map(str, exc.causes)) or exc.message
    except NotFoundError:
        return ""
    return ""


async def _is_gone(plane: Plane, pod: Pod) -> bool:
    try:
        found = await plane.client.get(Pod, pod.metadata.namespace, pod.metadata.name)
    except NotFoundError:
        return True
    return found.metadata.uid != pod.metadata.uid
