"""What a pod takes as a whole, reckoned from what its containers take.

Source: kubernetes/component-helpers resource/helpers.go, AggregateContainerRequests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from rollplane.core.v1 import Container, PodSpec

A = TypeVar("A")


def is_sidecar(container: Container) -> bool:
    """Tell whether an init container goes on running beside the others."""
    return container.restart_policy == "Always"


def pod_total(
    spec: PodSpec, of: Callable[[Container], A], zero: A, add: Callable[[A, A], A], larger: Callable[[A, A], A]
) -> A:
    """Return the most that the containers of ``spec`` take at any time; ``of`` tells what one takes.

    Containers and sidecars run together; an init container runs beside those sidecars only that come before it.
    Overhead is left out.
    """
    running = zero
    for container in spec.containers:
        running = add(running, of(container))
    if not spec.init_containers:
        return running
    sidecars = peak = zero
    for container in spec.init_containers:
        beside = add(sidecars, of(container))
        if is_sidecar(container):
            sidecars = beside
        peak = larger(peak, beside)
    return larger(add(running, sidecars), peak)
