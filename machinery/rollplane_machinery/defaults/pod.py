"""Defaults of the specs of Pod objects: those of any pod spec, and the few that templates do not get."""

from __future__ import annotations

from rollplane.core import v1 as core
from rollplane_machinery.defaults.pod_spec import default_pod_spec


def default_pod_object_spec(spec: core.PodSpec) -> None:
    """Fill in the spec of a Pod object in place: as in a template, and requests from limits, and service links."""
    default_pod_spec(spec)
    if not spec.HasField("enable_service_links"):
        spec.enable_service_links = True
    for container in spec.init_containers:
        _default_requests(container)
    for container in spec.containers:
        _default_requests(container)


def _default_requests(container: core.Container) -> None:
    """Who limits a resource and asks for nothing asks for the limit."""
    if container.HasField("resources"):
        limits, requests = container.resources.limits, container.resources.requests
        for name in limits:
            if name not in requests:
                requests[name].CopyFrom(limits[name])
