"""Orders from outside to one pod's kubelet (``rollplane sim``), carried out whatever the profile says."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from rollplane.core.v1 import Pod
from rollplane_kubelet_sim.stages.containers import ContainerLife, Exit, State

ORDER_ANNOTATION = "sim.rollplane.dev/do"
"""An order to one pod's kubelet. It is taken off by the same write that reports what came of it."""


class Order(StrEnum):
    """What a pod can be told."""

    READY = "ready"
    """Run and be ready, whatever stood in the way."""
    UNREADY = "unready"
    """Run, but be not ready, until told otherwise."""
    CRASH = "crash"
    """All running containers exit with code 1; in a manual pod those in between run once more, and exit again."""
    FINISH = "finish"
    """All running containers exit with code 0; a pod marked as deleted is gone."""


HELD_ANNOTATION = "sim.rollplane.dev/held"
"""``unready`` on a pod that was told to be so; what the kubelet must not forget has to be stored."""


def order_of(pod: Pod) -> str:
    """Return the word the pod's annotation gives, "" when it gives none."""
    return pod.metadata.annotations.get(ORDER_ANNOTATION, "")


def is_held(pod: Pod) -> bool:
    """Tell whether the pod was told not to become ready."""
    return pod.metadata.annotations.get(HELD_ANNOTATION) == Order.UNREADY


def annotations_after(pod: Pod) -> dict[str, str]:
    """Return the pod's annotations once its order is dealt with."""
    word = order_of(pod)
    left = {name: text for name, text in pod.metadata.annotations.items() if name != ORDER_ANNOTATION}
    if word == Order.UNREADY:
        left[HELD_ANNOTATION] = word
    elif word == Order.READY:
        left.pop(HELD_ANNOTATION, None)
    return left


def obey(
    order: Order, inits: Sequence[ContainerLife], apps: Sequence[ContainerLife], now: float, *, manual: bool
) -> None:
    """Carry out ``order`` on the containers of a pod that is neither over nor marked as deleted."""
    match order:
        case Order.READY | Order.UNREADY:
            _pass_inits(inits, now)
            for life in (*(one for one in inits if one.sidecar), *apps):
                _set_ready(life, now, ready=order is Order.READY)
        case Order.CRASH:
            for life in _able(inits, apps):
                _crash(life, now, manual=manual)
        case Order.FINISH:
            for life in _able(inits, apps):
                if life.running:
                    life.end(now, 0)


def _able(inits: Sequence[ContainerLife], apps: Sequence[ContainerLife]) -> Sequence[ContainerLife]:
    """The containers an end can be ordered for: the app containers, or the init container that keeps them waiting."""
    if any(life.has_run for life in apps):
        return apps
    return [life for life in inits if life.once and not life.lets_pass][:1] or apps


def _pass_inits(inits: Sequence[ContainerLife], now: float) -> None:
    for life in inits:
        if life.once and not life.lets_pass:
            life.exit, life.state, life.since = Exit(0, "Completed", now, now), State.EXITED, now


def _set_ready(life: ContainerLife, now: float, *, ready: bool) -> None:
    if life.over:
        return
    if life.image != life.spec.image:
        life.take_image(now)
    if not life.running:
        life.run(now)
    life.held = not ready
    life.started_at = now if life.started_at is None else life.started_at
    if ready != life.ready:
        life.ready_since = now if ready else None


def _crash(life: ContainerLife, now: float, *, manual: bool) -> None:
    """End a running container. In a manual pod nothing restarts one: it runs again, to crash at once."""
    again = manual and life.exit is not None and life.restarts_again
    if again:
        life.run(now)
    if not life.running:
        return
    life.end(now)
    if again and life.restarts_again and life.backoff:
        life.back_off()
