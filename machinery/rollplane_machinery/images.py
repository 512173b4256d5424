"""Setting the images of containers by name, as ``set image`` does."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core.v1 import PodSpec

EVERY_CONTAINER = "*"


def set_images(spec: PodSpec, images: Mapping[str, str]) -> None:
    """Give the containers and init containers of ``spec`` the images of their names, or that of EVERY_CONTAINER."""
    for container in [*spec.init_containers, *spec.containers]:
        image = images.get(container.name) or images.get(EVERY_CONTAINER)  # a name says more than the star
        if image:
            container.image = image


def missing_containers(spec: PodSpec, images: Mapping[str, str]) -> list[str]:
    """Return a sentence for each name that no container has, in kubectl's words."""
    known = {EVERY_CONTAINER, *(container.name for container in [*spec.init_containers, *spec.containers])}
    return [f'unable to find container named "{name}"' for name in images if name not in known]
